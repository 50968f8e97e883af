/** The Key Management Service of AWS in its own protocol, which looks at the signature of requests as the real one does. @module */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { encodeBase64 } from '#encoding/base64'
import { type FakeKey, type FakeKeys, generateKind, signAsDer } from './fake-keys.js'

export const AWS_LOGIN = { AWS_ACCESS_KEY_ID: 'AKIDFAKE', AWS_SECRET_ACCESS_KEY: 'aws-secret-word' } as const
export const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/'

export async function answerAws(keys: FakeKeys, request: Request): Promise<Response> {
  const body = await request.text()
  if (!isSigned(request, body)) return refuse('InvalidSignatureException')
  const ask = JSON.parse(body) as Record<string, string>
  const target = (request.headers.get('x-amz-target') ?? '').replace('TrentService.', '')
  if (target === 'CreateKey') return await create(keys, ask)
  const found = named(keys, ask['KeyId'] ?? ask['TargetKeyId'] ?? '')
  if (found === undefined) return refuse('NotFoundException')
  if (target === 'CreateAlias') return alias(keys, ask['AliasName'] ?? '', found)
  const name = { KeyId: `${ARN}${found.id}` }
  if (target === 'ScheduleKeyDeletion') {
    keys.scheduled.add(found.id)
    return Response.json({ ...name, KeyState: 'PendingDeletion' })
  }
  if (found.disabled) return refuse('DisabledException')
  if (keys.scheduled.has(found.id)) return refuse('KMSInvalidStateException')
  if (target === 'DescribeKey') return Response.json({ KeyMetadata: { ...name, SigningAlgorithms: ['ECDSA_SHA_256'] } })
  if (target === 'GetPublicKey') {
    const usage = found.usage === undefined ? 'SIGN_VERIFY' : 'ENCRYPT_DECRYPT'
    const key = { KeyUsage: usage, KeySpec: 'ECC_NIST_P256', PublicKey: encodeBase64(found.key.publicKey.spki) }
    return Response.json({ ...name, ...key })
  }
  return target === 'Sign' ? await sign(found, ask) : refuse('UnknownOperationException')
}

function refuse(type: string, status = 400): Response {
  return Response.json(
    { __type: `com.amazonaws.kms#${type}`, message: `${AWS_LOGIN.AWS_SECRET_ACCESS_KEY} is not to be told` },
    { status },
  )
}

function named(keys: FakeKeys, name: string): ({ readonly id: string } & FakeKey) | undefined {
  return keys.aws.get(name.replace(/^arn:[^/]*:(?:key\/)?(?=[^:]*$)/, ''))
}

/** Clients of before 2021 call the kind by its old name. */
async function create(keys: FakeKeys, ask: Readonly<Record<string, string>>): Promise<Response> {
  const key = await generateKind(ask['KeySpec'] ?? ask['CustomerMasterKeySpec'] ?? '')
  if (key === undefined || ask['KeyUsage'] !== 'SIGN_VERIFY') return refuse('ValidationException')
  const id = randomUUID()
  keys.aws.set(id, { id, key })
  return Response.json({ KeyMetadata: { AWSAccountId: '111122223333', KeyId: id, Arn: `${ARN}${id}`, Enabled: true } })
}

function alias(keys: FakeKeys, name: string, target: { readonly id: string } & FakeKey): Response {
  if (!/^alias\/(?!aws\/)[\w/-]+$/.test(name)) return refuse('InvalidAliasNameException')
  if (keys.aws.has(name)) return refuse('AlreadyExistsException')
  keys.aws.set(name, target)
  return new Response()
}

async function sign(
  found: { readonly id: string } & FakeKey,
  ask: Readonly<Record<string, string>>,
): Promise<Response> {
  const message = Buffer.from(ask['Message'] ?? '', 'base64')
  const algorithm = ask['SigningAlgorithm'] ?? ''
  const { keyType } = found.key.publicKey
  const whole =
    keyType === 'ed25519' ? 'ED25519_SHA_512' : keyType.startsWith('ml-dsa') ? 'ML_DSA_SHAKE_256' : undefined
  if (message.length === 0 || message.length > 4096) return refuse('ValidationException')
  if (ask['MessageType'] !== (whole === undefined ? 'DIGEST' : 'RAW')) return refuse('ValidationException')
  if (whole !== undefined && algorithm !== whole) return refuse('InvalidKeyUsageException')
  const signature = whole === undefined ? signAsDer(found, message) : await found.key.sign(message)
  return Response.json({
    KeyId: `${ARN}${found.id}`,
    SigningAlgorithm: algorithm,
    Signature: encodeBase64(signature),
  })
}

/** Signature Version 4 from what arrived, apart from the code that made it. */
function isSigned(request: Request, body: string): boolean {
  const given = request.headers.get('authorization') ?? ''
  const [, scope = '', names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=AKIDFAKE\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(given) ?? []
  const [date = '', region = '', service = ''] = scope.split('/')
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  const mac = (key: Uint8Array | string, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const lines = names.split(';').map((name) => `${name}:${request.headers.get(name) ?? ''}\n`)
  const canonical = [request.method, new URL(request.url).pathname, '', lines.join(''), names, hash(body)].join('\n')
  const time = request.headers.get('x-amz-date') ?? ''
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n')
  const key = mac(mac(mac(mac(`AWS4${AWS_LOGIN.AWS_SECRET_ACCESS_KEY}`, date), region), service), 'aws4_request')
  const wanted = ['host', 'x-amz-date', 'x-amz-target'].every((name) => names.split(';').includes(name))
  return wanted && service === 'kms' && mac(key, toSign).toString('hex') === signature
}
