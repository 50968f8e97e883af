/** An image for the demo, from nothing, pushed with the registry's own protocol. @module */
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'

/** One layer with one file, a config, a manifest; under its digest, and under a tag that is the beginning of it. */
export async function pushImage(up, name, message) {
  const tar = tarOf('hello.txt', message)
  const layer = gzipSync(tar)
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/hello.txt'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
  )
  const blobs = [
    { mediaType: 'application/vnd.oci.image.config.v1+json', content: config },
    { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', content: layer },
  ]
  for (const { content } of blobs) {
    await http(
      'POST',
      `${up.url}/v2/${name}/blobs/uploads/?digest=${digestOf(content)}`,
      content,
      'application/octet-stream',
    )
  }
  const [first, ...rest] = blobs.map(({ mediaType, content }) => ({
    mediaType,
    digest: digestOf(content),
    size: content.length,
  }))
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: first, layers: rest }))
  const digest = digestOf(manifest)
  const tag = digest.slice('sha256:'.length, 'sha256:'.length + 8)
  for (const place of [digest, tag]) await http('PUT', `${up.url}/v2/${name}/manifests/${place}`, manifest, mediaType)
  const bytes = manifest.length + blobs.reduce((sum, { content }) => sum + content.length, 0)
  const repository = `${up.registry}/${name}`
  return {
    reference: `${repository}@${digest}`,
    tagged: `${repository}:${tag}`,
    digest,
    bytes,
    blobs: blobs.length,
  }
}

/** A tar archive with one file (POSIX ustar). */
function tarOf(name, text) {
  const content = Buffer.from(text)
  const header = Buffer.alloc(512)
  const octal = (value, length) => value.toString(8).padStart(length - 1, '0') + '\0'
  const fields = [
    [0, name],
    [100, octal(0o644, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(content.length, 12)],
    [136, octal(0, 12)],
  ]
  for (const [offset, value] of [...fields, [148, '        '], [156, '0'], [257, 'ustar\u000000']])
    header.write(value, offset, 'latin1')
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
    'latin1',
  )
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512), Buffer.alloc(1024)])
}

function http(method, url, body, type) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, headers: { 'content-type': type, 'content-length': body.length } },
      (response) => {
        response.resume()
        if (response.statusCode === 201) resolve()
        else reject(new Error(`${method} ${url} answered ${response.statusCode}`))
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

function digestOf(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
