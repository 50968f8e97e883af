/**
 * ClusterPolicy and Policy (kyverno.io), both versions in one schema. What a policy says of images is described; rules
 * that mutate, validate or generate other things are kept as they are.
 *
 * @module
 */
import { CEL_CONDITIONS, conditionsSchema, CONTEXT, CREDENTIALS, matchSchema } from './kyverno-match.js'
import {
  anyObject,
  anything,
  choice,
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

const REKOR = object('The transparency log.', {
  url: text('Where it is.'),
  pubkey: text('Its key, in PEM.'),
  ignoreTlog: flag('Accept signatures that no log shows.'),
})

const CTLOG = object('Certificate transparency, and timestamps.', {
  ignoreSCT: flag('Accept certificates that no log has promised to show.'),
  pubkey: text('The key of the log, in PEM.'),
  tsaCertChain: text('Certificates of a timestamp authority, in PEM.'),
})

const HASH = text('sha224, sha256 (the default), sha384 or sha512.')
const ANNOTATIONS = record('What the signature must say beside the digest.')
const REPOSITORY = text('Where signatures are kept, if not beside the image.')
const EXTENSIONS = record('Further claims of the certificate.')

const KEYS = object('Signed with one of these keys.', {
  publicKeys: text('Keys in PEM, or k8s://namespace/secret, or one in a key management service.'),
  kms: text('A key in a key management service.'),
  secret: object('A secret with the key in cosign.pub.', {
    'name!': text('Its name.'),
    'namespace!': text('Its namespace.'),
  }),
  signatureAlgorithm: HASH,
  rekor: REKOR,
  ctlog: CTLOG,
})

const CERTIFICATES = object('Signed with this certificate, or one from this authority.', {
  cert: text('The certificate, in PEM.'),
  certChain: text('The authority’s certificates, in PEM.'),
  rekor: REKOR,
  ctlog: CTLOG,
})

const KEYLESS = object('Signed with a certificate for an identity.', {
  issuer: text('Who vouched for the signer; * and ? are wildcards.'),
  issuerRegExp: text('An expression that the issuer must match.'),
  subject: text('The signer; * and ? are wildcards.'),
  subjectRegExp: text('An expression that the subject must match.'),
  roots: text('Authorities instead of the trust root’s, in PEM.'),
  additionalExtensions: EXTENSIONS,
  rekor: REKOR,
  ctlog: CTLOG,
})

const ATTESTOR_ENTRY = object('One who may have signed: exactly one of keys, certificates, keyless, attestor.', {
  keys: KEYS,
  certificates: CERTIFICATES,
  keyless: KEYLESS,
  attestor: anything('A set of attestors in place of one.'),
  annotations: ANNOTATIONS,
  repository: REPOSITORY,
  signatureAlgorithm: HASH,
})

const ATTESTORS = list(
  'Sets of attestors; every set must be satisfied.',
  object('A set.', {
    count: whole('How many of its entries must have signed; all, if nothing is said.', { minimum: 1 }),
    entries: list('Who may have signed.', ATTESTOR_ENTRY),
  }),
)

const ATTESTATION = object('What must be attested.', {
  name: text('A name for conditions.'),
  type: text('The type of the predicate.'),
  predicateType: text('The old name of type.'),
  attestors: ATTESTORS,
  conditions: list('What must hold of every statement of the type.', conditionsSchema('Comparisons.')),
})

const VERIFY_IMAGES = object('Images that must be signed or attested.', {
  type: choice('What signatures look like; Cosign, if nothing is said.', ['Cosign', 'SigstoreBundle', 'Notary']),
  imageReferences: texts('Patterns of images; * crosses slashes. Any of them.'),
  skipImageReferences: texts('Patterns of images that are let be.'),
  attestors: ATTESTORS,
  attestations: list('All of them must be there.', ATTESTATION),
  annotations: ANNOTATIONS,
  repository: REPOSITORY,
  cosignOCI11: flag('Look for signatures among the image’s referrers.'),
  mutateDigest: flag('Replace tags by digests. Default: true.'),
  verifyDigest: flag('Refuse images without a digest. Default: true.'),
  required: flag('Refuse images that were not verified. Default: true.'),
  useCache: flag('A verdict may be remembered. Default: true.'),
  failureAction: choice('Whether the rule refuses or only tells.', ['Audit', 'Enforce']),
  imageRegistryCredentials: CREDENTIALS,
  validate: object('What must hold after all was verified.', {
    message: text('What to say when it does not.'),
    deny: object('Refuse if these hold.', { conditions: anything('Comparisons, under any and all.') }),
  }),
  image: text('The old form: a pattern.'),
  key: text('The old form: a key.'),
  roots: text('The old form: authorities.'),
  subject: text('The old form: the signer.'),
  issuer: text('The old form: the issuer.'),
  additionalExtensions: EXTENSIONS,
})

const EXTRACTOR = object('Where a kind has images.', {
  'path!': text('A path to it, parts between slashes, * for all.'),
  value: text('The field of the image there.'),
  name: text('What this place is called in expressions.'),
  key: text('The field that tells images apart.'),
  jmesPath: text('An expression that gives the image.'),
})

const RULE = object('A rule.', {
  'name!': text('Its name, unique in the policy.', { maxLength: 63 }),
  'match!': matchSchema('What the rule is about.'),
  exclude: matchSchema('What of that it is not about.'),
  context: CONTEXT,
  preconditions: anything('Comparisons, under any and all: the rule applies where they hold.'),
  celPreconditions: CEL_CONDITIONS,
  imageExtractors: record('Where other kinds have images, by kind.', list('Places.', EXTRACTOR)),
  verifyImages: list('Images that must be signed or attested.', VERIFY_IMAGES),
  skipBackgroundRequests: flag('Let Kyverno’s own background requests be.'),
  reportProperties: record('What reports say beside the result.'),
  mutate: anyObject('Not enforced by countersign.'),
  validate: anyObject('Not enforced by countersign.'),
  generate: anyObject('Not enforced by countersign.'),
})

const ACTION = choice('Whether to refuse or only to tell.', ['audit', 'enforce', 'Audit', 'Enforce'])

const SPEC = object('The policy.', {
  rules: list('Its rules.', RULE),
  applyRules: choice('All, the default, or stop after the first that applies.', ['All', 'One']),
  validationFailureAction: ACTION,
  validationFailureActionOverrides: list(
    'Other actions in some namespaces.',
    object('An action and where.', {
      action: ACTION,
      namespaces: texts('Their names, with wildcards.'),
      namespaceSelector: labelSelector('Their labels.'),
    }),
  ),
  emitWarning: flag('Tell whoever asked, too.'),
  admission: flag('Judge requests. Default: true.'),
  background: flag('Judge what already runs. Default: true.'),
  failurePolicy: choice('What happens when it cannot be judged.', ['Ignore', 'Fail']),
  webhookTimeoutSeconds: whole('How long judging may take, in seconds.'),
  webhookConfiguration: object('How the API server asks.', {
    failurePolicy: choice('What happens when it cannot be judged.', ['Ignore', 'Fail']),
    timeoutSeconds: whole('How long judging may take.'),
    matchConditions: CEL_CONDITIONS,
  }),
  schemaValidation: flag('Not used.'),
  useServerSideApply: flag('Not used.'),
  generateExisting: flag('Not used.'),
  generateExistingOnPolicyUpdate: flag('Not used.'),
  mutateExistingOnPolicyUpdate: flag('Not used.'),
})

export const KYVERNO_POLICY: Schema = kind('Which images may run, in rules about requests.', {
  'spec!': SPEC,
  status: status({ ready: flag('Whether it is enforced.') }),
})
