/** TrustRoot (policy.sigstore.dev). @module */
import { kind, list, object, status, text, type Schema } from './schema.js'

const SUBJECT = object('What a certificate calls it.', {
  organization: text('Its organization.'),
  commonName: text('Its common name.'),
})

function authority(description: string): Schema {
  return object(description, {
    subject: SUBJECT,
    uri: text('Where it is.'),
    certChain: text('Its certificates, PEM in base64, the root last.'),
  })
}

function log(description: string): Schema {
  return object(description, {
    baseURL: text('Where it is.'),
    hashAlgorithm: text('sha-256, …'),
    publicKey: text('Its key, PEM in base64.'),
  })
}

export const TRUST_ROOT: Schema = kind('Whom policies trust: exactly one of remote, repository and sigstoreKeys.', {
  spec: object('Where the trust comes from.', {
    remote: object('A TUF repository that is asked again and again.', {
      root: text('The root to begin with: root.json in base64.'),
      mirror: text('Where the repository is.'),
      targets: text('The folder of its targets.'),
      trustedRootTarget: text('The target that is the trusted root; trusted_root.json if nothing is said.'),
    }),
    repository: object('A TUF repository, packed, for where there is no network.', {
      root: text('The root to begin with: root.json in base64.'),
      mirrorFS: text('The repository: a .tar.gz in base64.'),
      targets: text('The folder of its targets.'),
      trustedRootTarget: text('The target that is the trusted root; trusted_root.json if nothing is said.'),
    }),
    sigstoreKeys: object('Keys and certificates, one by one.', {
      certificateAuthorities: list('Whose certificates are believed.', authority('A certificate authority.')),
      tLogs: list('Transparency logs of signatures.', log('A log.')),
      ctLogs: list('Certificate transparency logs.', log('A log.')),
      timestampAuthorities: list('Whose timestamps are believed.', authority('A timestamp authority.')),
    }),
  }),
  status: status(),
})
