/** `countersign policy explain`. @module */
import { explainPolicy } from '#policy/engine/explain-policy'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import { loadPolicyFiles } from '../policy/documents.js'

export const command: Command = defineCommand({
  name: 'policy explain',
  summary: 'Show in words what admission policies demand',
  description: 'The files are named as they are for policy test, or without a flag.',
  args: { usage: '[FILE...]', min: 0, max: Infinity, complete: 'file' },
  flags: {
    policy: { kind: 'repeated', short: 'f', placeholder: 'FILE', help: 'policies, and what they refer to' },
  },
  withoutCosignEnvironment: true,
  examples: [
    { does: 'see how a policy was understood', run: 'policy explain policy.yaml' },
    {
      does: 'see which rules Kyverno generates from a ClusterPolicy, and what each asks for',
      run: 'policy explain cluster-policy.yaml',
    },
  ],

  async run({ args, flags, host, signal }) {
    const files = [...flags.policy, ...args]
    if (files.length === 0)
      throw new UsageError('USAGE_ARGUMENTS', 'nothing to explain', { hint: 'name a file that has policies in it' })
    const { policies } = await loadPolicyFiles(host, files, signal)
    const lines = policies.flatMap((policy) => [...explainPolicy(policy), ''])
    // Texts of the files must not move the cursor.
    host.terminal.write(lines.map((line) => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�')).join('\n'))
    return undefined
  },
})
