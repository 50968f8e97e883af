/** What tests of verification share: the expected identity, a request, and a refusal with its report. @module */
import assert from 'node:assert/strict'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { VerificationError } from '#verify/errors'
import type { VerificationErrorCode } from '#verify/errors'
import type { Policy } from '#verify/identity/identity-policy'
import { CHECKS } from '#verify/report'
import type { CheckName } from '#verify/report'
import { verify } from '#verify/verify'
import type { VerifyRequest } from '#verify/verify'
import type { SignedArtifact } from './pki/signed-entity.js'

/** Whom the leaves of the test PKI name. */
export const ALICE: Policy = {
  kind: 'identities',
  anyOf: [{ subject: { exact: 'alice@example.com' }, issuer: { exact: 'https://issuer.example.com' } }],
}

/** A request to verify what was signed as by Alice. */
export function requestFor(
  signed: SignedArtifact,
  trust: TrustedRoot,
  changes: Partial<Omit<VerifyRequest, 'trust'>> = {},
): VerifyRequest {
  const artifact = { kind: 'bytes' as const, bytes: signed.artifact }
  return { entity: signed.entity, artifact, trust, policy: ALICE, ...changes }
}

/** Requires the request to be refused with this code at this check, and the report to say so. */
export async function assertRefused(
  request: VerifyRequest,
  code: VerificationErrorCode,
  check: CheckName,
): Promise<VerificationError> {
  const error = await verify(request).then(
    () => assert.fail(`accepted; expected ${code}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof VerificationError, String(error instanceof Error ? error.stack : error))
  assert.equal(`${error.code} at ${failedCheck(error)}`, `${code} at ${check}`, error.message)
  for (const name of Object.keys(CHECKS))
    assert.ok(
      error.report.some((result) => result.name === name),
      `${name} is in the report`,
    )
  return error
}

function failedCheck(error: VerificationError): string {
  const failed = error.report.filter(({ status }) => status === 'failed')
  assert.equal(failed.length, 1, 'exactly one check fails')
  return failed[0]?.name ?? 'none'
}
