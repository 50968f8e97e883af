/** `countersign signing-config create`. @module */
import { parseSigningConfig } from '#formats/signing-config/parse'
import { serializeSigningConfig } from '#formats/signing-config/serialize'
import type { Service, ServiceSelector, SigningConfig } from '#formats/signing-config/signing-config'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import { parseKeyValues } from '../key-values.js'
import { parseInput } from '../read-input.js'
import { SIGNING_CONFIG_REKOR_V2_TARGET, SIGNING_CONFIG_TARGET, tufTarget } from '../tuf.js'

const SERVICE = 'url=…,api-version=N,start-time=…,operator=…[,end-time=…]'
const EMPTY: SigningConfig = {
  caUrls: [],
  oidcUrls: [],
  rekorTlogUrls: [],
  tsaUrls: [],
  rekorTlogConfig: undefined,
  tsaConfig: undefined,
}

export const command: Command = defineCommand({
  name: 'signing-config create',
  summary: 'Make a signing configuration file',
  description: 'A signing configuration says which services a signer uses, and how many of each.',
  flags: {
    fulcio: { kind: 'repeated', placeholder: 'SPEC', help: SERVICE },
    rekor: { kind: 'repeated', placeholder: 'SPEC', help: SERVICE },
    'oidc-provider': { kind: 'repeated', placeholder: 'SPEC', help: SERVICE },
    tsa: { kind: 'repeated', placeholder: 'SPEC', help: SERVICE },
    'rekor-config': {
      kind: 'string',
      placeholder: 'ANY|ALL|EXACT:N',
      help: 'how many logs to use; needed with --rekor',
    },
    'tsa-config': {
      kind: 'string',
      placeholder: 'ANY|ALL|EXACT:N',
      help: 'how many timestamp authorities to use; needed with --tsa',
    },
    'base-config': { kind: 'path', help: 'begin with this file; what is given takes the place of its own' },
    'with-default-services': { kind: 'boolean', help: 'begin with what the TUF repository delivers' },
    'with-default-rekor-v2': { kind: 'boolean', help: 'begin with what it delivers for Rekor v2' },
    'no-default-fulcio': { kind: 'boolean', help: 'without its certificate authorities' },
    'no-default-rekor': { kind: 'boolean', help: 'without its transparency logs' },
    'no-default-oidc': { kind: 'boolean', help: 'without its OIDC issuers' },
    'no-default-tsa': { kind: 'boolean', help: 'without its timestamp authorities' },
    out: { kind: 'path', help: 'write to this file rather than to standard output' },
  },
  withoutCosignEnvironment: true,
  examples: [
    {
      does: 'sign at the public instance, but log nowhere',
      run: 'signing-config create --with-default-services --no-default-rekor --out signing_config.json',
    },
    {
      does: 'use a private log of version 2',
      run: 'signing-config create --rekor url=https://rekor.example.com,api-version=2,start-time=2026-01-01T00:00:00Z,operator=example.com --rekor-config ANY --out signing_config.json',
    },
  ],

  async run({ flags, host }) {
    for (const name of ['rekor', 'tsa'] as const) {
      if (flags[name].length > 0 && flags[`${name}-config`] === undefined) {
        throw new UsageError('USAGE_FLAG_MISSING', `--${name}-config must be provided when --${name} is specified`, {
          expected: 'ANY, ALL or EXACT:N',
        })
      }
    }
    const wantsDefaults = flags['with-default-services'] || flags['with-default-rekor-v2']
    const defaults = wantsDefaults
      ? parseSigningConfig(
          await tufTarget(
            host,
            flags['with-default-rekor-v2'] ? SIGNING_CONFIG_REKOR_V2_TARGET : SIGNING_CONFIG_TARGET,
          ),
        )
      : EMPTY
    const path = flags['base-config']
    const bytes = path === undefined ? undefined : await host.files.read(path)
    const base = bytes === undefined ? EMPTY : parseInput(path ?? '', () => parseSigningConfig(bytes))
    const services = (
      kind: 'caUrls' | 'oidcUrls' | 'rekorTlogUrls' | 'tsaUrls',
      flag: 'fulcio' | 'oidc-provider' | 'rekor' | 'tsa',
      without: boolean,
    ): readonly Service[] => {
      const given = flags[flag].map((text) => serviceFromText(`--${flag}`, text))
      return [...(without || given.length > 0 ? [] : base[kind]), ...(without ? [] : defaults[kind]), ...given]
    }
    const rekorTlogUrls = services('rekorTlogUrls', 'rekor', flags['no-default-rekor'])
    const tsaUrls = services('tsaUrls', 'tsa', flags['no-default-tsa'])
    const config: SigningConfig = {
      caUrls: services('caUrls', 'fulcio', flags['no-default-fulcio']),
      oidcUrls: services('oidcUrls', 'oidc-provider', flags['no-default-oidc']),
      rekorTlogUrls,
      tsaUrls,
      rekorTlogConfig:
        selector('--rekor-config', flags['rekor-config']) ??
        (rekorTlogUrls.length === 0 ? undefined : (defaults.rekorTlogConfig ?? base.rekorTlogConfig)),
      tsaConfig:
        selector('--tsa-config', flags['tsa-config']) ??
        (tsaUrls.length === 0 ? undefined : (defaults.tsaConfig ?? base.tsaConfig)),
    }
    const text = serializeSigningConfig(config)
    if (flags.out === undefined) host.terminal.write(`${text}\n`)
    else await host.files.write(flags.out, text)
    return undefined
  },
})

function serviceFromText(flag: string, text: string): Service {
  const values = parseKeyValues(flag, text, ['url', 'api-version', 'start-time', 'end-time', 'operator'])
  const version = values.required('api-version')
  if (!/^\d{1,4}$/.test(version))
    throw new CliError('CLI_INPUT', `parsing ${flag}: api-version is not a number`, { found: version })
  values.required('start-time')
  const [start, end] = [values.time('start-time'), values.time('end-time')]
  return {
    url: values.required('url'),
    majorApiVersion: Number(version),
    operator: values.required('operator'),
    validFor: { start, ...(end === undefined ? {} : { end }) },
  }
}

function selector(flag: string, text: string | undefined): ServiceSelector | undefined {
  if (text === undefined) return undefined
  const match = /^(?:(ANY|ALL)|EXACT:([1-9]\d{0,5}))$/i.exec(text)
  if (match === null)
    throw new CliError('CLI_INPUT', `parsing ${flag}: not a way to choose`, {
      expected: 'ANY, ALL or EXACT:N',
      found: text,
    })
  const name = match[1]?.toUpperCase()
  return name === 'ANY' || name === 'ALL' ? { selector: name } : { selector: 'EXACT', count: Number(match[2]) }
}
