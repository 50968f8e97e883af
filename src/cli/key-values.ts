/** `key=value,key=value`: how services are described on a command line. @module */
import { isCodedError } from '#errors'
import { parseRfc3339, type UnixMillis } from '#time'
import { CliError } from './kit/errors.js'

/** The pairs of one description. */
export interface KeyValues {
  /** @throws {@link CliError} `CLI_INPUT` if it is missing or empty */
  required(key: string): string
  optional(key: string): string | undefined
  /** An RFC 3339 time, if the key is there. @throws {@link CliError} `CLI_INPUT` */
  time(key: string): UnixMillis | undefined
}

/**
 * Reads a description. Values cannot hold commas.
 * @throws {@link CliError} `CLI_INPUT` for what is no pair or has a key that nobody knows
 */
export function parseKeyValues(flag: string, text: string, keys: readonly string[]): KeyValues {
  const pairs = new Map<string, string>()
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=')
    const key = pair.slice(0, Math.max(equals, 0)).trim()
    if (!keys.includes(key))
      throw wrong(`parsing ${flag}: invalid key-value pair: ${pair}`, `pairs of ${keys.join(', ')}`)
    pairs.set(key, pair.slice(equals + 1).trim())
  }
  const optional = (key: string): string | undefined => pairs.get(key) || undefined
  return {
    optional,
    required: (key) => {
      const value = optional(key)
      if (value === undefined) throw wrong(`parsing ${flag}: missing required key '${key}'`, `${key}=…`)
      return value
    },
    time: (key) => {
      const value = optional(key)
      if (value === undefined) return undefined
      try {
        return parseRfc3339(value)
      } catch (error) {
        if (!isCodedError(error)) throw error
        throw wrong(`parsing ${flag}: ${key} is not a time`, error.expected ?? 'a time', value)
      }
    },
  }
}

function wrong(message: string, expected: string, found?: string): CliError {
  return new CliError('CLI_INPUT', message, { expected, found })
}
