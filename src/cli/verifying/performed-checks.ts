/** The list of checks that `verify` says were performed: each line is there only if it is true of every signature accepted. @module */
import type { Verification } from '#verify/verification'

export interface PerformedAsk {
  readonly name: string
  readonly verifications: readonly Verification[]
  readonly annotations: boolean
  readonly claims: boolean
}

/** The header on standard error, in cosign's words where cosign has words for it. */
export function performedChecks({ name, verifications, annotations, claims }: PerformedAsk): string {
  const every = (test: (verification: Verification) => boolean): boolean =>
    verifications.length > 0 && verifications.every(test)
  const keyed = every(({ signer }) => signer.kind === 'key')
  const certified = every(({ signer }) => signer.kind === 'certificate')
  const lines: readonly (readonly [boolean, string])[] = [
    [annotations, 'The specified annotations were verified.'],
    [claims, 'The cosign claims were validated'],
    [
      every(({ logEntries }) => logEntries.length > 0),
      'Existence of the claims in the transparency log was verified offline',
    ],
    [
      every(({ times }) => times.some(({ source }) => source.kind === 'timestamp-authority')),
      'The signatures were seen by a trusted timestamp authority',
    ],
    [keyed, 'The signatures were verified against the specified public key'],
    [certified, 'The code-signing certificate was verified using trusted certificate authority certificates'],
    [
      every(({ signer }) => signer.kind === 'certificate' && signer.matched !== undefined),
      'The certificate identity and its issuer are among those that were asked for',
    ],
  ]
  const said = lines.filter(([holds]) => holds).map(([, text]) => `  - ${text}`)
  return [
    '',
    `Verification for ${name} --`,
    'The following checks were performed on each of these signatures:',
    ...said,
  ].join('\n')
}
