/** `countersign trusted-root create`. @module */
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import { EMPTY_TRUST } from '../trust.js'
import { authorityFromText, logFromText, timestampAuthorityFromText } from '../trusted-root-parts.js'
import { TRUSTED_ROOT_TARGET, tufTarget } from '../tuf.js'

const flags = {
  fulcio: { kind: 'repeated', placeholder: 'SPEC', help: 'url=…,certificate-chain=FILE[,start-time=…][,end-time=…]' },
  rekor: { kind: 'repeated', placeholder: 'SPEC', help: 'url=…,public-key=FILE,start-time=…[,end-time=…][,origin=…]' },
  ctfe: { kind: 'repeated', placeholder: 'SPEC', help: 'url=…,public-key=FILE,start-time=…[,end-time=…][,origin=…]' },
  tsa: { kind: 'repeated', placeholder: 'SPEC', help: 'url=…,certificate-chain=FILE[,start-time=…][,end-time=…]' },
  'with-default-services': { kind: 'boolean', help: 'begin with what the TUF repository delivers' },
  'no-default-fulcio': { kind: 'boolean', help: 'without its certificate authorities' },
  'no-default-rekor': { kind: 'boolean', help: 'without its transparency logs' },
  'no-default-ctfe': { kind: 'boolean', help: 'without its certificate transparency logs' },
  'no-default-tsa': { kind: 'boolean', help: 'without its timestamp authorities' },
  out: { kind: 'path', help: 'write to this file rather than to standard output' },
  'certificate-chain': {
    kind: 'repeated',
    placeholder: 'FILE',
    help: 'chain of a Fulcio',
    deprecated: 'use --fulcio instead',
  },
  'fulcio-uri': { kind: 'repeated', placeholder: 'URL', help: 'its address', deprecated: 'use --fulcio instead' },
  'ctfe-key': {
    kind: 'repeated',
    placeholder: 'FILE',
    help: 'key of a certificate transparency log',
    deprecated: 'use --ctfe instead',
  },
  'ctfe-start-time': { kind: 'repeated', placeholder: 'TIME', help: 'its beginning', deprecated: 'use --ctfe instead' },
  'ctfe-end-time': { kind: 'repeated', placeholder: 'TIME', help: 'its end', deprecated: 'use --ctfe instead' },
  'ctfe-url': { kind: 'repeated', placeholder: 'URL', help: 'its address', deprecated: 'use --ctfe instead' },
  'rekor-key': {
    kind: 'repeated',
    placeholder: 'FILE[,ORIGIN]',
    help: 'key of a transparency log',
    deprecated: 'use --rekor instead',
  },
  'rekor-start-time': {
    kind: 'repeated',
    placeholder: 'TIME',
    help: 'its beginning',
    deprecated: 'use --rekor instead',
  },
  'rekor-end-time': { kind: 'repeated', placeholder: 'TIME', help: 'its end', deprecated: 'use --rekor instead' },
  'rekor-url': { kind: 'repeated', placeholder: 'URL', help: 'its address', deprecated: 'use --rekor instead' },
  'timestamp-certificate-chain': {
    kind: 'repeated',
    placeholder: 'FILE',
    help: 'chain of a timestamp authority',
    deprecated: 'use --tsa instead',
  },
  'timestamp-uri': { kind: 'repeated', placeholder: 'URL', help: 'its address', deprecated: 'use --tsa instead' },
} as const

type ListName = {
  readonly [Name in keyof typeof flags]: (typeof flags)[Name]['kind'] extends 'repeated' ? Name : never
}[keyof typeof flags]

/** Which old flags, side by side by their position, say what one new one says as a whole. */
const OLD: Readonly<Record<'fulcio' | 'rekor' | 'ctfe' | 'tsa', Readonly<Record<string, ListName>>>> = {
  fulcio: { 'certificate-chain': 'certificate-chain', url: 'fulcio-uri' },
  rekor: {
    'public-key': 'rekor-key',
    url: 'rekor-url',
    'start-time': 'rekor-start-time',
    'end-time': 'rekor-end-time',
  },
  ctfe: { 'public-key': 'ctfe-key', url: 'ctfe-url', 'start-time': 'ctfe-start-time', 'end-time': 'ctfe-end-time' },
  tsa: { 'certificate-chain': 'timestamp-certificate-chain', url: 'timestamp-uri' },
}

export const command: Command = defineCommand({
  name: 'trusted-root create',
  summary: 'Make a trusted root file',
  description:
    'A trusted root says whom a verifier believes: certificate authorities, logs and timestamp authorities, and when.',
  flags,
  withoutCosignEnvironment: true,
  examples: [
    {
      does: 'trust a private Fulcio, log and timestamp authority',
      run: 'trusted-root create --fulcio url=https://fulcio.example.com,certificate-chain=fulcio.pem --rekor url=https://rekor.example.com,public-key=rekor.pub,start-time=2026-01-01T00:00:00Z --tsa url=https://tsa.example.com,certificate-chain=tsa.pem --out trusted_root.json',
    },
    {
      does: 'write down what the TUF repository delivers',
      run: 'trusted-root create --with-default-services --out trusted_root.json',
    },
  ],

  async run({ flags: given, host }) {
    const base = given['with-default-services']
      ? parseTrustedRoot(await tufTarget(host, TRUSTED_ROOT_TARGET))
      : EMPTY_TRUST
    const root: TrustedRoot = {
      certificateAuthorities: [
        ...(given['no-default-fulcio'] ? [] : base.certificateAuthorities),
        ...(await all('fulcio', authorityFromText)),
      ],
      tlogs: [...(given['no-default-rekor'] ? [] : base.tlogs), ...(await all('rekor', logFromText))],
      ctlogs: [...(given['no-default-ctfe'] ? [] : base.ctlogs), ...(await all('ctfe', logFromText))],
      timestampAuthorities: [
        ...(given['no-default-tsa'] ? [] : base.timestampAuthorities),
        ...(await all('tsa', timestampAuthorityFromText)),
      ],
    }
    const text = serializeTrustedRoot(root)
    if (given.out === undefined) host.terminal.write(`${text}\n`)
    else await host.files.write(given.out, text)
    return undefined

    async function all<T>(
      name: keyof typeof OLD,
      read: (to: typeof host, flag: string, text: string) => Promise<T>,
    ): Promise<readonly T[]> {
      const old = oldDescriptions(given, name)
      if (old.length > 0 && given[name].length > 0) {
        throw new UsageError('USAGE_FLAG_CONFLICT', `cannot use --${name} and old ${name} flags at the same time`)
      }
      return await Promise.all([...given[name], ...old].map((description) => read(host, `--${name}`, description)))
    }
  },
})

/** The old flags as descriptions; `--rekor-key` may carry the log's origin behind a comma. */
function oldDescriptions(
  given: Readonly<Record<ListName, readonly string[]>>,
  name: keyof typeof OLD,
): readonly string[] {
  const columns = Object.entries(OLD[name])
  const count = Math.max(...columns.map(([, flag]) => given[flag].length))
  return Array.from({ length: count }, (_, index) =>
    columns
      .flatMap(([key, flag]) => {
        const value = given[flag][index]
        return value === undefined ? [] : [`${key}=${value.replace(',', ',origin=')}`]
      })
      .join(','),
  )
}
