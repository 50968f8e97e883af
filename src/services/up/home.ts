/** What somebody sees who opens the instance's address in a browser or with curl. @module */
import { text } from '#serving/responses'
import { route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { TUF_PATH } from './tuf.js'

export function homeRoutes(url: string, issuer: string): readonly Route[] {
  const page = `A private Sigstore, run by countersign.

  Point a client at it:
    countersign initialize --mirror ${url}${TUF_PATH} --root ${url}${TUF_PATH}/root.json
    cosign initialize --mirror ${url}${TUF_PATH} --root ${url}${TUF_PATH}/root.json

  Sign-in          ${issuer}
  Fulcio           ${url}/api/v2/signingCert   ${url}/api/v2/trustBundle
  CT log           ${url}/ct/v1/get-sth
  Rekor v1         ${url}/api/v1/log
  Rekor v2         ${url}/api/v2/log/entries   ${url}/api/v2/checkpoint
  Time-stamps      ${url}/api/v1/timestamp
  TUF              ${url}${TUF_PATH}/timestamp.json
  Registry         ${url}/v2/
  Health, metrics  ${url}/readyz   ${url}/metrics
`
  return [route('GET', '/', () => Promise.resolve(text(200, page)))]
}
