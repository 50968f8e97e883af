/** The entry: loads the program, as bytecode where the build has made some. Nothing else belongs here. @module */
import { join } from 'node:path'
import { loadChunk } from './node/chunk.js'

loadChunk(join(import.meta.dirname, 'program.cjs'))
