/** ImageValidatingPolicy and its namespaced kind (policies.kyverno.io), all versions in one schema. @module */
import { CEL_CONDITIONS, CREDENTIALS } from './kyverno-match.js'
import {
  choice,
  conditions,
  flag,
  kind,
  labelSelector,
  list,
  object,
  record,
  status,
  text,
  texts,
  whole,
  type Schema,
} from './schema.js'

const RESOURCE_RULE = object('Requests.', {
  apiGroups: texts('Groups; * for all.'),
  apiVersions: texts('Versions; * for all.'),
  resources: texts('Plurals, with subresources: pods, pods/ephemeralcontainers; * for all.'),
  operations: texts('CREATE, UPDATE, DELETE, CONNECT or *.'),
  resourceNames: texts('Names of objects.'),
  scope: text('Cluster, Namespaced or *.'),
})

const MATCH_CONSTRAINTS = object('Which requests the policy is about.', {
  resourceRules: list('Any of them.', RESOURCE_RULE),
  excludeResourceRules: list('None of them.', RESOURCE_RULE),
  namespaceSelector: labelSelector('Labels of the namespace.'),
  objectSelector: labelSelector('Labels of the object.'),
  matchPolicy: text('Exact or Equivalent.'),
})

/** A text, or an expression that gives it. */
function value(description: string): Schema {
  return object(description, { value: text('As it is.'), expression: text('An expression (CEL) that gives it.') })
}

const IDENTITY = object('Who must have signed.', {
  issuer: text('Who vouched for the signer.'),
  issuerRegExp: text('An expression that the issuer must match.'),
  subject: text('The signer.'),
  subjectRegExp: text('An expression that the subject must match.'),
  subjectExpression: text('An expression (CEL) that gives the subject.'),
})

const COSIGN = object('A signature of cosign: one of key, keyless and certificate.', {
  key: object('With a key.', {
    data: text('The key, in PEM.'),
    kms: text('A key in a key management service.'),
    hashAlgorithm: text('sha256, the default, …'),
    expression: text('An expression (CEL) that gives the key.'),
  }),
  keyless: object('With a certificate for an identity.', {
    'identities!': list('Any one of them.', IDENTITY),
    roots: text('Authorities instead of the trust root’s, in PEM.'),
    additionalExtensions: record('Further claims of the certificate.'),
  }),
  certificate: object('With a certificate.', {
    cert: value('The certificate, in PEM.'),
    certChain: value('The authority’s certificates, in PEM.'),
  }),
  annotations: record('What the signature must say beside the digest.'),
  source: object('Where signatures are kept, if not beside the image.', {
    repository: text('The repository.'),
    tagPrefix: text('What tags of signatures begin with.'),
    PullSecrets: list('Logins for it.', object('A pull secret.', { name: text('Name of the secret.') })),
  }),
  ctlog: object('Logs and timestamps.', {
    url: text('The transparency log.'),
    rekorPubKey: text('Its key, in PEM.'),
    ctLogPubKey: text('The key of the certificate transparency log, in PEM.'),
    tsaCertChain: text('Certificates of a timestamp authority, in PEM.'),
    insecureIgnoreTlog: flag('Accept signatures that no log shows.'),
    insecureIgnoreSCT: flag('Accept certificates that no log has promised to show.'),
  }),
  tuf: object('A TUF repository that delivers the trust root.', {
    mirror: text('Where it is.'),
    root: object('The root to begin with.', {
      data: text('root.json in base64.'),
      path: text('A file or an address.'),
    }),
  }),
  trustedRoot: value('The trust root, trusted_root.json.'),
})

const NOTARY = object('A signature of Notary. countersign refuses policies that need one.', {
  certs: value('Certificates, in PEM.'),
  tsaCerts: value('Certificates of timestamp authorities, in PEM.'),
})

const NAMED_EXPRESSIONS = list(
  'Each may use those before it.',
  object('A name and an expression.', { 'name!': text('The name.'), 'expression!': text('The expression (CEL).') }),
)

const SPEC = object('The policy.', {
  matchConstraints: MATCH_CONSTRAINTS,
  matchConditions: CEL_CONDITIONS,
  matchImageReferences: list(
    'Images that the policy is about; any of them.',
    object('A pattern or an expression.', { glob: text('A pattern.'), expression: text('An expression (CEL).') }),
  ),
  images: NAMED_EXPRESSIONS,
  credentials: CREDENTIALS,
  variables: NAMED_EXPRESSIONS,
  'attestors!': list(
    'Who may have signed, for expressions.',
    object('An attestor.', { 'name!': text('Its name.'), cosign: COSIGN, notary: NOTARY }),
  ),
  attestations: list(
    'What may be attested, for expressions.',
    object('An attestation.', {
      'name!': text('Its name.'),
      intoto: object('A statement of in-toto.', { 'type!': text('The type of its predicate.') }),
      referrer: object('A referrer of the image.', { 'type!': text('Its artifact type.') }),
    }),
  ),
  'validations!': list(
    'All of them must be true.',
    object('A condition.', {
      'expression!': text('The condition (CEL).'),
      message: text('What to say when it is false.'),
      messageExpression: text('An expression (CEL) that gives what to say.'),
      reason: text('Why, for programs.'),
    }),
  ),
  validationActions: list(
    'What happens when one is false; Deny, if nothing is said.',
    choice('An action.', ['Deny', 'Audit', 'Warn']),
  ),
  validationConfigurations: object('What holds besides.', {
    mutateDigest: flag('Replace tags by digests. Default: true.'),
    verifyDigest: flag('Refuse images without a digest. Default: true.'),
    required: flag('Refuse images that were not verified. Default: true.'),
  }),
  auditAnnotations: list(
    'What audit logs are told.',
    object('An annotation.', { 'key!': text('Its name.'), 'valueExpression!': text('An expression (CEL).') }),
  ),
  evaluation: object('When the policy is evaluated.', {
    mode: text('Kubernetes, the default, or JSON.'),
    admission: object('For requests.', { enabled: flag('Default: true.') }),
    background: object('For what already runs.', { enabled: flag('Default: true.') }),
  }),
  failurePolicy: choice('What happens when it cannot be judged.', ['Ignore', 'Fail']),
  autogen: object('For controllers of pods.', {
    podControllers: object('Which.', { controllers: texts('deployments, jobs, …; empty for none.') }),
  }),
  webhookConfiguration: object('How the API server asks.', {
    timeoutSeconds: whole('How long judging may take.'),
  }),
})

export const IMAGE_VALIDATING_POLICY: Schema = kind('Which images may run, in expressions (CEL).', {
  'spec!': SPEC,
  status: status({
    conditionStatus: {
      ...object('Whether it is enforced.', {
        ready: flag('Whether it is.'),
        message: text('Why not.'),
        conditions: conditions(),
      }),
      'x-kubernetes-preserve-unknown-fields': true,
    },
  }),
})
