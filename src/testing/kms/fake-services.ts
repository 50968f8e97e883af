/** The four key management services in their own protocols: requests are checked as the real ones check them. @module */
import type { Handler } from '#serving/handler'
import { answerAws } from './fake-aws.js'
import { answerAzure, AZURE_TOKEN } from './fake-azure.js'
import { answerGoogle, GOOGLE_TOKEN } from './fake-google.js'
import type { FakeKeys } from './fake-keys.js'
import { answerVault } from './fake-vault.js'

export { ARN, AWS_LOGIN } from './fake-aws.js'
export { AZURE_TOKEN } from './fake-azure.js'
export { GOOGLE_TOKEN } from './fake-google.js'
export { emptyKeys, type FakeKey, type FakeKeys } from './fake-keys.js'
export { VAULT_TOKEN } from './fake-vault.js'

/** All hosts of all four. */
export function fakeServices(keys: FakeKeys): Handler {
  return async (request) => {
    const { host, pathname } = new URL(request.url)
    // These two may be anywhere: what is asked of them tells them apart.
    if (request.headers.has('x-amz-target')) return await answerAws(keys, request)
    if (request.headers.has('x-vault-token')) return await answerVault(keys, request)
    if (host === 'cloudkms.googleapis.com') return await answerGoogle(keys, request)
    if (/\.(?:vault|managedhsm)\.azure\.net$/.test(host)) return await answerAzure(keys, request)
    if (host === 'metadata.google.internal' && request.headers.get('metadata-flavor') === 'Google')
      return Response.json({ access_token: GOOGLE_TOKEN })
    if (host === '169.254.169.254' && pathname === '/metadata/identity/oauth2/token')
      return Response.json({ access_token: AZURE_TOKEN })
    return new Response('not here', { status: 404 })
  }
}
