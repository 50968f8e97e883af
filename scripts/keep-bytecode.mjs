/** Preloaded into a rehearsal: when it ends, what V8 has compiled of each chunk by then becomes the chunk's bytecode. @module */
import vm from 'node:vm'
import { keepBytecode } from './bytecode.mjs'

const kept = []

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    if (this.cachedDataRejected === true) throw new Error(`V8 rejects the bytecode of ${options.filename}`)
    kept.push({ source, path: options.filename, script: this })
  }
}

process.on('exit', () => {
  for (const { source, path, script } of kept) keepBytecode(source, path, script)
})
