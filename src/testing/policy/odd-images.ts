/** Names of images that are none, or none that anybody signed: whatever a policy is about, each is refused. @module */
import type { JsonValue } from '#encoding/json'

const digest = `sha256:${'a'.repeat(64)}`

export const ODD_IMAGE_NAMES: readonly string[] = [
  ...['UPPER/case:1', 'a b', ' ghcr.io/acme/bare:1', 'ghcr.io/acme/bare:1 ', 'ghcr.io/acme/bare:1\n', '\tnginx'],
  ...['ghcr.io/acme/../acme/bare:1', 'ghcr.io/./acme/bare:1', 'ghcr.io//acme/bare:1', 'ghcr.io/acme/bare:1/'],
  ...['@', ':', '/', '-', '.', '..', '::', 'a@b@c', `@${digest}`, `:1@${digest}`, `a@${digest}@${digest}`],
  ...['ghcr.io/acme/bare@sha256:short', 'ghcr.io/acme/bare@md5:d41d8cd98f00b204e9800998ecf8427e', 'ghcr.io/acme/bare@'],
  ...[`ghcr.io/acme/bare@sha256:${'A'.repeat(64)}`, `ghcr.io/acme/bare@SHA256:${'a'.repeat(64)}`],
  ...['https://ghcr.io/acme/bare:1', 'docker://ghcr.io/acme/bare:1', 'oci:ghcr.io/acme/bare:1', 'file:///bin/sh'],
  ...['user:secret@ghcr.io/acme/bare:1', 'ghcr.io%2facme/bare:1', 'ghcr.io/acme%2fbare:1', 'ghcr.io/acme/bare?x=1'],
  ...['ghcr.io/acme/bare#1', 'ghcr.io/acme/bare:*', '*', 'ghcr.io\\acme\\bare', '${IMAGE}', '{{ image }}', '$(IMAGE)'],
  ...['ghcr。io/acme/bare:1', 'ghcr.io/acme/bаre:1', 'ghcr.io/acme/bare:1\u0000', '\ufeffghcr.io/acme/bare:1', '💥'],
  ...['ghcr.io:99999999/acme/bare', '[::1/acme/bare', '[gg::1]:5000/acme/bare', `ghcr.io/${'a'.repeat(300)}`],
  ...[`ghcr.io/acme/bare:${'1'.repeat(129)}`, 'a'.repeat(100_000), 'ghcr.io/acme/nowhere:1'],
]

/** Where the name of an image should be, and no text is. */
export const NO_IMAGE_NAMES: readonly JsonValue[] = [
  0,
  1,
  true,
  false,
  null,
  {},
  [],
  ['ghcr.io/acme/bare:1'],
  { reference: 'ghcr.io/acme/bare:1' },
]
