/** `countersign completion`. @module */
import { type Command, defineCommand } from '../kit/command.js'
import { completionScript, SHELLS } from '../kit/completion.js'
import { UsageError } from '../kit/errors.js'

export const command: Command = defineCommand({
  name: 'completion',
  summary: 'Print the completion script of a shell',
  args: { usage: 'bash|zsh|fish|powershell', min: 1, max: 1, complete: SHELLS },
  flags: {},
  withoutCosignEnvironment: true,
  examples: [
    { does: 'complete in this bash', run: 'completion bash > ~/.countersign.bash; source ~/.countersign.bash' },
    { does: 'complete in every zsh', run: 'completion zsh > "${fpath[1]}/_countersign"' },
    { does: 'complete in every fish', run: 'completion fish > ~/.config/fish/completions/countersign.fish' },
    { does: 'complete in PowerShell', run: 'completion powershell | Out-String | Invoke-Expression' },
  ],

  async run({ args: [wanted], host }) {
    const shell = SHELLS.find((name) => name === wanted)
    if (shell === undefined) {
      throw new UsageError('USAGE_ARGUMENTS', `no completion for ${JSON.stringify(wanted)}`, {
        expected: SHELLS.join(', '),
      })
    }
    host.terminal.write(completionScript(shell, host.definitions()))
    return undefined
  },
})
