/** The result of a verification as plain data, for `--output json`. @module */
import { publicKeyToPem } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { formatRfc3339 } from '#time'
import type { Verification } from '#verify/verification'

/** Field names are stable; new ones may be added. Everything in it has been verified. */
export function verificationDocument(verification: Verification): Readonly<Record<string, unknown>> {
  const { signer, times, logEntries, certificateLogs, algorithm, report } = verification
  return {
    signer:
      signer.kind === 'key'
        ? { kind: 'key', publicKey: publicKeyToPem(signer.key), sha256: encodeHex(signer.key.id) }
        : {
            kind: 'certificate',
            ...identityDocument(signer.identity),
            notBefore: formatRfc3339(signer.certificate.notBefore),
            notAfter: formatRfc3339(signer.certificate.notAfter),
            certificate: encodeBase64(signer.certificate.der),
          },
    algorithm: algorithm.name,
    times: times.map(({ at, source, description }) => ({ time: formatRfc3339(at), source: source.kind, description })),
    logEntries: logEntries.map(({ entry, log, inclusion, promisedAt }) => ({
      log: log.baseUrl,
      logId: encodeHex(entry.logId),
      logIndex: Number(entry.logIndex),
      kind: entry.kind,
      version: entry.version,
      inclusion,
      ...(promisedAt === undefined ? {} : { integratedTime: formatRfc3339(promisedAt) }),
    })),
    certificateLogs: certificateLogs.map(({ baseUrl, logId }) => ({ log: baseUrl, logId: encodeHex(logId) })),
    report,
  }
}

type Identity = Extract<Verification['signer'], { kind: 'certificate' }>['identity']

/** Who signed: one name where there is one, all of them where there are several, the issuer and Fulcio's claims. */
export function identityDocument({ subjects, issuer, claims }: Identity): Readonly<Record<string, unknown>> {
  const { issuer: _, issuerV1: __, ...further } = claims
  return {
    subject: subjects[0]?.value ?? null,
    ...(subjects.length > 1 ? { subjects } : {}),
    issuer: issuer ?? null,
    ...(Object.keys(further).length === 0 ? {} : { claims: further }),
  }
}
