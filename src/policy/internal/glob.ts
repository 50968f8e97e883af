/** The globs of ClusterImagePolicy: `*` within a path part, `**` across parts, anchored at both ends. @module */

const ALLOWED = /^[a-zA-Z0-9\-_:/*.@]+$/
const SPECIAL = /[.]/g

/** Most characters of a glob; an image name has far fewer. */
export const MAX_GLOB = 1024

/** Whether a text may be a glob. */
export function isGlob(text: string): boolean {
  return text.length <= MAX_GLOB && ALLOWED.test(text)
}

/** The pattern that matches, as a whole, what the glob matches. A single star, and two with a slash between, mean Docker Hub, as image names do. */
export function globPattern(glob: string): string {
  return normalisedGlob(glob)
    .replace(SPECIAL, '\\.')
    .split('**')
    .map((part) => part.replace(/\*/g, '[^/]*'))
    .join('.*')
}

/** The glob with the names of Docker Hub written out. */
export function normalisedGlob(glob: string): string {
  if (glob === '*') return 'index.docker.io/library/*'
  if (glob === '*/*') return 'index.docker.io/*/*'
  return glob
}
