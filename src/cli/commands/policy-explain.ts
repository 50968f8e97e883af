/** `countersign policy explain`. @module */
import { explainPolicy } from '#policy/engine/explain-policy'
import { type Command, defineCommand } from '../kit/command.js'
import { loadPolicyFiles } from '../policy/documents.js'

export const command: Command = defineCommand({
  name: 'policy explain',
  summary: 'Show in words what admission policies demand',
  args: { usage: 'FILE...', min: 1, max: Infinity, complete: 'file' },
  flags: {},
  withoutCosignEnvironment: true,
  examples: [
    { does: 'see how a policy was understood', run: 'policy explain policy.yaml' },
    {
      does: 'see which rules Kyverno generates from a ClusterPolicy, and what each asks for',
      run: 'policy explain cluster-policy.yaml',
    },
  ],

  async run({ args, host, signal }) {
    const { policies } = await loadPolicyFiles(host, args, signal)
    const lines = policies.flatMap((policy) => [...explainPolicy(policy), ''])
    // Texts of the files must not move the cursor.
    host.terminal.write(lines.map((line) => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�')).join('\n'))
    return undefined
  },
})
