/** AWS Signature Version 4 of a request with a body and no query. @module */
import { hmacSha256 } from '#crypto/hmac'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { UnixMillis } from '#time'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

export interface AwsRequest {
  readonly url: URL
  readonly region: string
  readonly service: string
  /** With lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The headers with which the request is sent. */
export function signAwsRequest(
  { url, region, service, headers, body }: AwsRequest,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  now: UnixMillis,
): Readonly<Record<string, string>> {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = time.slice(0, 8)
  const sent = {
    ...headers,
    host: url.host,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const lines = Object.entries(sent).sort(([a], [b]) => (a < b ? -1 : 1))
  const names = lines.map(([name]) => name).join(';')
  const canonical = [
    'POST',
    url.pathname,
    '',
    ...lines.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    names,
    hash(body),
  ]
  const scope = `${date}/${region}/${service}/aws4_request`
  const toSign = [ALGORITHM, time, scope, hash(canonical.join('\n'))].join('\n')
  const key = [date, region, service, 'aws4_request'].reduce(
    (secret, part) => hmacSha256(secret, encodeUtf8(part)),
    encodeUtf8(`AWS4${secretAccessKey}`),
  )
  const signature = encodeHex(hmacSha256(key, encodeUtf8(toSign)))
  // The client writes Host itself.
  const { host: _, ...written } = sent
  return {
    ...written,
    authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

function hash(text: string): string {
  return encodeHex(sha256(encodeUtf8(text)))
}
