/** `countersign version`. @module */
import { type Command, defineCommand } from '../kit/command.js'
import { VERSION } from '../version.js'

export const command: Command = defineCommand({
  name: 'version',
  summary: 'Print the version',
  flags: { json: { kind: 'boolean', help: 'print JSON instead of text' } },
  withoutCosignEnvironment: true,
  examples: [{ does: 'print the version as JSON', run: 'version --json' }],

  async run({ flags, host }) {
    const { os, arch, runtime } = host.platform
    const facts = { gitVersion: `v${VERSION}`, runtime, platform: `${os}/${arch}` }
    host.terminal.write(
      flags.json
        ? `${JSON.stringify(facts, undefined, 2)}\n`
        : `countersign: a complete Sigstore in one program\n\nGitVersion:    ${facts.gitVersion}\nRuntime:       ${runtime}\nPlatform:      ${facts.platform}\n`,
    )
    return undefined
  },
})
