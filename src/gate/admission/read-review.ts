/** An AdmissionReview (admission.k8s.io/v1) as a list of checks, read once and narrow from then on. @module */
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Operation, Review, ReviewUser } from '#policy/internal/review'
import { AdmissionError } from './admission-error.js'

/** One request of the API server. */
export interface AdmissionRequest {
  readonly uid: string
  /** Nothing may change but the answer. */
  readonly dryRun: boolean
  readonly review: Review
}

/** A review that cannot be judged, with what its answer has to carry. */
export interface RefusedRequest {
  /** Empty where it could not be read. */
  readonly uid: string
  readonly error: AdmissionError
}

const GROUP_VERSION = 'admission.k8s.io/v1'
/** The API server writes UUIDs of 36 characters; what is far longer was not written by it. */
const MAX_UID = 128

/** Reads a review; everything that is wrong is an outcome, for every answer is a verdict. */
export function readReview(body: Uint8Array): AdmissionRequest | RefusedRequest {
  let uid = ''
  try {
    const request = requestOf(parse(body))
    uid = checkUid(request)
    for (const check of CHECKS) check(request)
    return { uid, dryRun: request['dryRun'] === true, review: reviewOf(request) }
  } catch (error) {
    if (!(error instanceof AdmissionError)) throw error
    return { uid, error }
  }
}

type Check = (request: JsonObject) => void

/** In the order of the request's own fields. */
const CHECKS: readonly Check[] = [
  checkKind,
  checkResource,
  checkSubresource,
  checkName,
  checkNamespace,
  checkOperation,
  checkUser,
  checkObject,
  checkOldObject,
  checkDryRun,
]

function parse(body: Uint8Array): JsonValue {
  try {
    return parseJson(body)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new AdmissionError('ADMISSION_JSON', `the request is not an AdmissionReview: ${cause.message}`, {
      expected: cause.expected,
      cause,
    })
  }
}

function requestOf(value: JsonValue): JsonObject {
  const review = isJsonObject(value) ? value : {}
  const { apiVersion, kind, request } = review
  if (apiVersion !== GROUP_VERSION || kind !== 'AdmissionReview') {
    throw new AdmissionError('ADMISSION_VERSION', 'the request is not an AdmissionReview that is understood here', {
      expected: `AdmissionReview of ${GROUP_VERSION}`,
      found: `${shown(kind)} of ${shown(apiVersion)}`,
      hint: 'set admissionReviewVersions: ["v1"] in the webhook configuration',
    })
  }
  if (isJsonObject(request)) return request
  throw wrong('request', 'an object', request)
}

function checkUid({ uid }: JsonObject): string {
  if (typeof uid === 'string' && uid !== '' && uid.length <= MAX_UID) return uid
  throw wrong('request.uid', 'a text', uid)
}

function checkKind({ kind }: JsonObject): void {
  requireTexts('request.kind', kind, ['group', 'version', 'kind'])
}

function checkResource({ resource }: JsonObject): void {
  requireTexts('request.resource', resource, ['group', 'version', 'resource'])
}

function checkSubresource({ subResource }: JsonObject): void {
  requireOptionalText('request.subResource', subResource)
}

function checkName({ name }: JsonObject): void {
  requireOptionalText('request.name', name)
}

function checkNamespace({ namespace }: JsonObject): void {
  requireOptionalText('request.namespace', namespace)
}

const OPERATIONS: ReadonlySet<JsonValue | undefined> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'])

function checkOperation({ operation }: JsonObject): void {
  if (!OPERATIONS.has(operation)) throw wrong('request.operation', [...OPERATIONS].map(String).join(' or '), operation)
}

function checkUser({ userInfo }: JsonObject): void {
  if (!isJsonObject(userInfo)) throw wrong('request.userInfo', 'an object', userInfo)
  requireOptionalText('request.userInfo.username', userInfo['username'])
  const groups = userInfo['groups'] ?? []
  if (!Array.isArray(groups) || groups.some((group) => typeof group !== 'string'))
    throw wrong('request.userInfo.groups', 'a list of texts', groups as JsonValue)
}

/** What is created or updated has to be there; without it there is nothing that could have been looked at. */
function checkObject({ object, operation }: JsonObject): void {
  const absent = object === undefined || object === null
  if (absent && operation !== 'CREATE' && operation !== 'UPDATE') return
  if (!isJsonObject(object)) throw wrong('request.object', 'an object', object)
}

function checkOldObject({ oldObject }: JsonObject): void {
  if (oldObject !== undefined && oldObject !== null && !isJsonObject(oldObject))
    throw wrong('request.oldObject', 'an object', oldObject)
}

function checkDryRun({ dryRun }: JsonObject): void {
  if (dryRun !== undefined && dryRun !== null && typeof dryRun !== 'boolean')
    throw wrong('request.dryRun', 'true or false', dryRun)
}

function requireTexts(path: string, value: JsonValue | undefined, names: readonly string[]): void {
  if (!isJsonObject(value)) throw wrong(path, 'an object', value)
  for (const name of names) {
    // The core group's name is empty, and Go leaves empty fields out where they may be.
    const text = value[name] ?? (name === 'group' ? '' : undefined)
    if (typeof text !== 'string' || (text === '' && name !== 'group')) throw wrong(`${path}.${name}`, 'a text', text)
  }
}

function requireOptionalText(path: string, value: JsonValue | undefined): void {
  if (value !== undefined && value !== null && typeof value !== 'string') throw wrong(path, 'a text', value)
}

function wrong(path: string, expected: string, found: JsonValue | undefined): AdmissionError {
  return new AdmissionError('ADMISSION_FIELD', `the AdmissionReview cannot be read: ${path}`, {
    expected,
    found: shown(found),
  })
}

function shown(value: JsonValue | undefined): string {
  return (value === undefined ? 'nothing' : JSON.stringify(value)).slice(0, 100)
}

/** All that is read here was checked above. */
function reviewOf(request: JsonObject): Review {
  const kind = objectIn(request, 'kind')
  const resource = objectIn(request, 'resource')
  const [namespace, subresource] = [textIn(request, 'namespace'), textIn(request, 'subResource')]
  const oldObject = request['oldObject']
  return {
    operation: textIn(request, 'operation') as Operation,
    kind: { group: textIn(kind, 'group'), version: textIn(kind, 'version'), kind: textIn(kind, 'kind') },
    resource: {
      group: textIn(resource, 'group'),
      version: textIn(resource, 'version'),
      resource: textIn(resource, 'resource'),
      ...(subresource !== '' && { subresource }),
    },
    name: textIn(request, 'name') || nameIn(objectIn(request, 'object')),
    ...(namespace !== '' && { namespace }),
    object: objectIn(request, 'object'),
    ...(isJsonObject(oldObject) && { oldObject }),
    user: userOf(objectIn(request, 'userInfo')),
    request,
  }
}

/** An object that is to be named by the API server has only the beginning of a name. */
function nameIn(object: JsonObject): string {
  const metadata = objectIn(object, 'metadata')
  return textIn(metadata, 'name') || textIn(metadata, 'generateName')
}

function userOf(user: JsonObject): ReviewUser {
  const groups = (user['groups'] ?? []) as readonly string[]
  return { username: textIn(user, 'username'), groups, roles: [], clusterRoles: [] }
}

function objectIn(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isJsonObject(value) ? value : {}
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}
