/** `--mirror HOST=HOST`. @module */
import { UsageError } from '../kit/errors.js'

/** Registries and which to ask in their place. @throws {@link UsageError} `USAGE_FLAG_VALUE` */
export function readMirrors(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const [from = '', to = '', ...more] = text.split('=')
      if (from !== '' && to !== '' && more.length === 0) return [from === 'docker.io' ? 'index.docker.io' : from, to]
      throw new UsageError('USAGE_FLAG_VALUE', `invalid argument ${JSON.stringify(text)} for "--mirror" flag`, {
        expected: 'HOST=HOST, such as ghcr.io=localhost:5000',
      })
    }),
  )
}
