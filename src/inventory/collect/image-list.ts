/** Lists of images: on the command line, or a name a line. @module */
import type { Sighting } from './sighting.js'

/** Lines; empty ones and those that begin with `#` are left out. */
export function imagesOfText(text: string): readonly Sighting[] {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(namedImage)
}

export function namedImage(name: string): Sighting {
  return { name, workload: undefined, running: undefined, platform: undefined }
}
