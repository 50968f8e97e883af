/** ClusterImagePolicy (policy.sigstore.dev), both versions: they differ in nothing. @module */
import { anyObject, flag, kind, labelSelector, list, object, status, text, type Schema } from './schema.js'

const SECRET_REF = object('The secret, in the namespace of the gate; it must have exactly one entry.', {
  name: text('Name of the secret.'),
  namespace: text('Not used: keys come from the namespace of the gate alone.'),
})

function keyRef(description: string): Schema {
  return object(description, {
    secretRef: SECRET_REF,
    data: text('The key itself, in PEM; one key.'),
    kms: text('A key in a key management service: awskms://, azurekms://, gcpkms://, hashivault://.'),
    hashAlgorithm: text('sha224, sha256 (the default), sha384 or sha512.'),
  })
}

const IDENTITY = object('Who must have signed: issuer and subject, each as it is or as an expression (RE2).', {
  issuer: text('Who vouched for the signer.'),
  issuerRegExp: text('An expression that the issuer must match.'),
  subject: text('The signer: a mail address, or the URI of a workflow.'),
  subjectRegExp: text('An expression that the subject must match.'),
})

const TRUST_ROOT_REF = text('Name of a TrustRoot; without it, the installation’s own trust root serves.')

const KEYLESS = object('Signed with a certificate for an identity.', {
  url: text('Fulcio. Not asked; what it has issued is told by the trust root.'),
  'ca-cert': keyRef('An authority instead of the trust root’s.'),
  identities: list('Any one of them must have signed.', IDENTITY),
  trustRootRef: TRUST_ROOT_REF,
  insecureIgnoreSCT: flag('Accept certificates that no certificate transparency log has promised to show.'),
})

const SOURCE = object('Where signatures are kept, if not beside the image.', {
  oci: text('The repository.'),
  tagPrefix: text('What tags of signatures begin with.'),
  signaturePullSecrets: list(
    'Logins for it, in the namespace of the workload.',
    object('A pull secret.', { name: text('Name of the secret.') }),
  ),
})

const CONFIG_MAP_REF = object('The policy is in a ConfigMap, in the namespace of the gate.', {
  name: text('Name of the ConfigMap.'),
  key: text('Which of its entries.'),
  namespace: text('Not used: policies come from the namespace of the gate alone.'),
})

/** A CUE or Rego policy. */
function policy(description: string): Schema {
  return object(description, {
    type: text('cue or rego.'),
    data: text('The policy itself.'),
    remote: object('The policy is fetched.', {
      url: text('An https address.'),
      sha256sum: text('What its SHA-256 must be, in hex.'),
    }),
    configMapRef: CONFIG_MAP_REF,
    fetchConfigFile: flag('Let the policy see the image’s configuration, by platform.'),
    includeSpec: flag('Let the policy see the workload’s spec.'),
    includeObjectMeta: flag('Let the policy see the workload’s metadata.'),
    includeTypeMeta: flag('Let the policy see the workload’s kind and apiVersion.'),
  })
}

const ATTESTATION = object('What must be attested; any one verified attestation of the type suffices.', {
  name: text('A name for messages and for the policy.'),
  predicateType: text(
    'The type of the predicate, a URI, or custom, slsaprovenance, spdx, spdxjson, cyclonedx, link, vuln.',
  ),
  policy: policy('What the attestation must say.'),
})

const AUTHORITY = object('One way to be accepted: exactly one of key, keyless and static.', {
  name: text('A name for messages; authority-0, authority-1, … if there is none.'),
  key: keyRef('Signed with a key.'),
  keyless: KEYLESS,
  static: object('Accepted or refused without looking.', {
    action: text('pass or fail.'),
    message: text('What to say when it fails.'),
  }),
  source: list('One place at most.', SOURCE),
  ctlog: object('The transparency log that must show the signature.', {
    url: text('Rekor.'),
    trustRootRef: TRUST_ROOT_REF,
  }),
  rfc3161timestamp: object('A timestamp authority instead of a log.', { trustRootRef: TRUST_ROOT_REF }),
  signatureFormat: text('bundle: Sigstore bundles alone; legacy, or nothing: tags of signatures.'),
  attestations: list('What must be attested, all of it; the image itself then needs no signature.', ATTESTATION),
})

const MATCH = object('Workloads that the policy is about; without any, all of them.', {
  group: text('The group of their kind; empty for pods.'),
  version: text('The version of their kind, or *.'),
  resource: text('The plural of their kind: pods, deployments, …'),
  selector: labelSelector('Their labels.'),
})

export const CLUSTER_IMAGE_POLICY: Schema = kind(
  'Which images may run, by who signed or attested them. Every policy that matches an image must accept it.',
  {
    spec: object('The policy.', {
      images: list(
        'The images that it is about.',
        object('A pattern.', { glob: text('A pattern of references; ** crosses slashes, * does not.') }),
      ),
      match: list('Any one of them suffices.', MATCH),
      authorities: list('Any one of them suffices.', AUTHORITY),
      policy: policy('What must hold over all that the authorities accepted.'),
      mode: text('enforce, the default: refuse; warn: let in with a warning.'),
    }),
    status: status({ annotations: anyObject('Kept for other controllers.') }),
  },
)
