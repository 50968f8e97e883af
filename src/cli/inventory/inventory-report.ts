/** An inventory, as a table and as JSON. @module */
import type { Inventory, InventoryImage, PlatformImage, Unknown } from '#inventory/model'
import { formatRfc3339 } from '#time'
import { counted, harmless, harmlessJson, sentence, signerName, table, workloadNames } from './text.js'

/** What can run and is not known. */
export interface UnknownRow {
  readonly image: InventoryImage
  readonly platform: PlatformImage | undefined
  readonly unknown: Unknown
}

/** Every image of which nothing can be ruled out. */
export function unknownImages({ images }: Inventory): readonly UnknownRow[] {
  return images.flatMap((image): readonly UnknownRow[] => [
    ...(image.unknown === undefined ? [] : [{ image, platform: undefined, unknown: image.unknown }]),
    ...image.platforms.flatMap((platform) =>
      platform.unknown === undefined ? [] : [{ image, platform, unknown: platform.unknown }],
    ),
  ])
}

/** The summary of a fresh inventory: how much is known, and why the rest is not. */
export function inventorySummary(inventory: Inventory, width: number): string {
  const unknown = unknownImages(inventory)
  const sboms = new Set(
    inventory.images.flatMap(({ platforms }) =>
      platforms.flatMap((each) => each.sboms.map(({ key, at }) => `${key} ${String(at)}`)),
    ),
  )
  const ignored = ignoredTable(inventory, width)
  const tags = inventory.images.filter(({ basis }) => basis === 'resolved').length
  return [
    `${counted(inventory.images.length, 'image')} in ${inventory.sources.map(harmless).join(', ')}; ` +
      `${counted(sboms.size, 'verified bill')} of materials; ${String(unknown.length)} unknown`,
    ...(tags === 0 ? [] : [`${counted(tags, 'image')} by the digest that the tag has now`]),
    ...inventory.notes.flatMap((note) => sentence(`note: ${note}`, width)),
    ...(unknown.length === 0 ? [] : ['', ...unknownTable(unknown, width)]),
    ...(ignored.length === 0 ? [] : ['', ...ignored]),
  ].join('\n')
}

/** Why each is unknown. */
export function unknownTable(unknown: readonly UnknownRow[], width: number): readonly string[] {
  const rows = unknown.map(({ image, platform, unknown: { reason, detail } }) => [
    imageName(image, platform?.platform),
    reason,
    detail,
  ])
  return table([['UNKNOWN', 'REASON', 'DETAIL'], ...rows], { width })
}

/** More would hide what is unknown; the JSON form has all of them. */
const SHOWN_IGNORED = 20

/** Attestations that count for nothing, and why. */
function ignoredTable({ images }: Inventory, width: number): readonly string[] {
  const rows = images.flatMap((image) =>
    image.platforms.flatMap(({ platform, ignored }) =>
      ignored.map(({ predicateType, code, message }) => [
        imageName(image, platform),
        `${predicateType === '' ? '' : `${predicateType}: `}${code}, ${message}`,
      ]),
    ),
  )
  if (rows.length === 0) return []
  const more = rows.length - SHOWN_IGNORED
  return [
    ...table([['IGNORED ON', 'WHAT, AND WHY'], ...rows.slice(0, SHOWN_IGNORED)], { width }),
    ...(more > 0 ? [`and ${String(more)} more`] : []),
  ]
}

/** A row for each image that can run. */
export function inventoryTable(inventory: Inventory, width: number): string {
  const rows = inventory.images.flatMap((image) => {
    const runs = workloadNames(image)
    const name = (platform: string | undefined): string => imageName(image, platform).replace(/@sha256:[0-9a-f]+…/, '')
    if (image.platforms.length === 0) return [[name(undefined), '-', runs, unknownText(image.unknown)]]
    return image.platforms.map((each) => [name(each.platform), shortDigest(each.digest), runs, sbomsOf(each)])
  })
  const all = [['IMAGE', 'DIGEST', 'RUNS IN', 'BILL OF MATERIALS'], ...rows]
  const hasWorkloads = rows.some(([, , runs]) => runs !== '')
  return table(hasWorkloads ? all : all.map((row) => row.filter((_, column) => column !== 2)), { width }).join('\n')
}

function sbomsOf({ sboms, unknown }: PlatformImage): string {
  const texts = sboms.map(
    ({ format, version, components, signer, attachedTo }) =>
      `${format} ${version}, ${counted(components, 'component')}, signed by ${signerName(signer)}` +
      (attachedTo === 'index' ? ', attached to the index' : ''),
  )
  return [...texts, ...(unknown === undefined ? [] : [unknownText(unknown)])].join('; ')
}

function unknownText(unknown: Unknown | undefined): string {
  return unknown === undefined ? '' : `UNKNOWN: ${unknown.reason}, ${unknown.detail}`
}

/** The name that people know, a digest in it shortened, and the platform where there are several. */
export function imageName({ names, digest }: InventoryImage, platform: string | undefined): string {
  const name = (names[0] ?? digest ?? '').replace(/@(sha256:[0-9a-f]{12})[0-9a-f]{52}$/, '@$1…')
  return platform === undefined ? name : `${name} ${platform}`
}

function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12)
}

/** How old the answer is, of what, whom it believes, and what could not be seen. */
export function takenLines(
  { takenAt, sources, trust: { sboms, vex }, notes }: Inventory,
  width: number,
): readonly string[] {
  const time = formatRfc3339(Math.floor(takenAt / 1000) * 1000)
  const excuses = vex.length === 0 ? 'nobody' : vex.join('; ')
  const text = `taken ${time} of ${sources.join(', ')}; bills of materials by ${sboms.join('; ')}; OpenVEX by ${excuses}`
  return [text, ...notes.map((note) => `note: ${note}`)].flatMap((each) => sentence(each, width))
}

/** Field names are stable; new ones may be added. */
export function inventoryJson(inventory: Inventory): string {
  const unknown = unknownImages(inventory).length
  return harmlessJson({ ...headerDocument(inventory), unknown, images: inventory.images.map(imageDocument) })
}

export function headerDocument({ takenAt, sources, trust, notes }: Inventory): Readonly<Record<string, unknown>> {
  return { takenAt: formatRfc3339(takenAt), sources, signers: { sboms: trust.sboms, vex: trust.vex }, notes }
}

function imageDocument({ platforms, unknown, ...image }: InventoryImage): Readonly<Record<string, unknown>> {
  return { ...imageHeader(image), unknown: unknown ?? null, platforms: platforms.map(platformDocument) }
}

export function imageHeader({
  names,
  repositories,
  digest,
  basis,
  index,
  workloads,
}: Omit<InventoryImage, 'platforms' | 'unknown'>): Readonly<Record<string, unknown>> {
  return {
    names,
    repositories,
    digest: digest ?? null,
    digestBasis: basis ?? null,
    index: index ?? null,
    workloads: workloads.map(({ namespace, ...workload }) => ({ namespace: namespace ?? null, ...workload })),
  }
}

function platformDocument({
  digest,
  platform,
  sboms,
  vex,
  unknown,
  ignored,
}: PlatformImage): Readonly<Record<string, unknown>> {
  return {
    digest,
    platform: platform ?? null,
    unknown: unknown ?? null,
    sboms: sboms.map(({ attachedTo, attestation, signer, signedAt, format, version, components, completeness }) => ({
      format,
      version,
      components,
      completeness,
      attachedTo,
      attestation,
      signer: signerDocument(signer),
      signedAt: signedAt === undefined ? null : formatRfc3339(signedAt),
    })),
    vex: vex.map(({ attachedTo, attestation, signer, signedAt, id, statements }) => ({
      id,
      statements,
      attachedTo,
      attestation,
      signer: signerDocument(signer),
      signedAt: signedAt === undefined ? null : formatRfc3339(signedAt),
    })),
    ignored,
  }
}

export function signerDocument({
  identity,
  issuer,
}: PlatformImage['sboms'][number]['signer']): Readonly<Record<string, unknown>> {
  return { identity, issuer: issuer ?? null }
}
