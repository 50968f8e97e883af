/**
 * The one internal policy that every policy language compiles to. Where the languages differ, a field says how;
 * the engine never asks which language it was.
 *
 * @module
 */
import type { JsonValue } from '#encoding/json'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Attestor } from './attestor.js'
import type { Circumstances } from './cluster.js'
import type { Demand, JudgePort } from './demand.js'
import type { ImageOccurrence, ImageSelection, NamedImage, PinnedImage } from './image.js'
import type { ImagePlace } from './pod-images.js'
import type { AttestationOutcome, DemandOutcome, SignatureOutcome } from './outcome.js'
import type { Review } from './review.js'
import type { TrustRepository } from './trust-repository.js'
import type { WebhookScope } from './webhook-scope.js'

export type PolicyLanguage = 'ClusterImagePolicy' | 'ClusterPolicy' | 'ImageValidatingPolicy'

/** What happens to a resource that does not satisfy a policy. */
export type Action = 'deny' | 'warn' | 'audit'

/** Which resources a policy or a rule is about. */
export interface ResourceMatcher {
  /** For `policy explain`: one line a condition. */
  readonly explained: readonly string[]
  /** @throws CodedError if that cannot be said; the review is then refused */
  matches(review: Review, circumstances: Circumstances): boolean | Promise<boolean>
}

export interface Enforcement {
  /** Words of the policy on what happens, e.g. its mode with its overrides by namespace. */
  readonly explained: readonly string[]
  actionFor(review: Review): Action
  /**
   * What happens where an answer cannot be had: the registry is out of reach, time ran out, the cluster does not say.
   * Absent: as for a refusal.
   */
  actionOnOutage?(review: Review): Action
}

/** What is done about digests. */
export interface DigestRules {
  /** Write the verified digest into the resource. */
  readonly mutate: boolean
  /** Refuse a resource whose image is not named by digest (after mutation, where there is one). */
  readonly verify: boolean
  /** Refuse an image that was selected and not verified. */
  readonly required: boolean
}

/** What is concluded from the outcome as a whole: the policy of a ClusterImagePolicy, the `validate.deny` of a ClusterPolicy. */
export type Conclusion = JudgePort<ConclusionInput>

export interface ConclusionInput {
  readonly occurrence: ImageOccurrence
  readonly pinned: PinnedImage
  readonly review: Review
  /** Met demands only. */
  readonly outcome: DemandOutcome
  /** The image's configuration by platform (`linux/amd64`); fetched when asked for. */
  readonly configs: () => Promise<ReadonlyMap<string, JsonValue>>
}

/** What planning may use besides the review; one object a review, so that what was learnt can be kept by it. */
export interface PlanServices extends Circumstances {
  /** What a name stands for; the same answer as for the resource's own images. */
  resolve(image: NamedImage): Promise<PinnedImage>
  manifest(image: PinnedImage): Promise<JsonValue>
  configs(image: PinnedImage): Promise<ReadonlyMap<string, JsonValue>>
}

/** What a rule asks of the images of one review. */
export type RulePlan =
  /** The rule's own conditions leave the resource out. */
  | { readonly applies: false; readonly why: string }
  | {
      readonly applies: true
      readonly demand: Demand | undefined
      readonly conclusion: Conclusion | undefined
    }

/**
 * Makes the plan of a rule that depends on the review: on its conditions, on variables, on what the cluster says. It is asked only
 * when an image was selected, and once a review.
 *
 * The content hash of the policy does not cover what a plan demands. Whoever keeps verdicts must keep them by the attestors
 * themselves (two reviews of one policy can name two keys), and must not keep those of predicate policies and conclusions.
 */
export interface RulePlanner {
  /** For `policy explain`: the conditions, and what depends on the review. */
  readonly explained: readonly string[]
  /** What can be said of the plans without a review. */
  readonly outline: {
    readonly demand: Demand | undefined
    readonly conclusion: Pick<Conclusion, 'language' | 'source'> | undefined
  }
  plan(review: Review, services: PlanServices): Promise<RulePlan>
}

/** Registry logins that a rule brings along for whatever is read on its behalf. */
export interface RegistryAccess {
  /** Secrets of type `kubernetes.io/dockerconfigjson`; without a namespace they are in the installation's own. */
  readonly secrets: readonly { readonly namespace?: string; readonly name: string }[]
  /** Keychains by name: `default`, `google`, `azure`, `amazon`, `github`. None: all that the installation has. */
  readonly providers: readonly string[]
  /** Plain HTTP, and certificates that nobody vouches for, are put up with. */
  readonly allowInsecure: boolean
}

/** One rule on each image that it selects. */
export interface ImageRule {
  readonly kind: 'images'
  /** Empty where the language has no rules. */
  readonly name: string
  readonly matcher: ResourceMatcher
  /** Where images are in resources that hold no pod specification; undefined: the pod's. */
  readonly extract: ((review: Review) => readonly (ImageOccurrence | ImagePlace)[]) | undefined
  readonly images: ImageSelection
  /** Of a rule that asks the same of every review. Undefined: nothing about signatures is demanded, or the planner says. */
  readonly demand: Demand | undefined
  readonly conclusion: Conclusion | undefined
  /** Of a rule that does not: what it plans stands in the place of `demand` and `conclusion`. */
  readonly planner?: RulePlanner
  /** Absent: what the installation and the resource have. */
  readonly access?: RegistryAccess
  readonly digests: DigestRules
  readonly enforcement: Enforcement
  readonly wording: RuleWording
}

/** The texts that scripts of the original depend on. */
export interface RuleWording {
  /** Why the image was refused, in the words of the original. */
  refused(failure: ImageFailure): string
  /** Told where an image is let pass unverified by the policy's own words; absent: nothing is. */
  skipped?(occurrence: ImageOccurrence): string
  /** A refusal that only warns, as whoever applies the resource reads it; absent: as it is. */
  warned?(message: string): string
}

/** Why an image does not satisfy a rule. */
export interface ImageFailure {
  readonly occurrence: ImageOccurrence
  readonly pinned: PinnedImage | undefined
  readonly cause: FailureCause
}

export type FailureCause =
  /** The image cannot be had, read, or judged in time. */
  | { readonly kind: 'error'; readonly error: Error }
  /** What the rule asks cannot be put together. */
  | { readonly kind: 'plan'; readonly error: Error }
  | { readonly kind: 'demand'; readonly outcome: DemandOutcome }
  | { readonly kind: 'conclusion'; readonly error: Error }
  | { readonly kind: 'digest-missing' }
  | { readonly kind: 'unverified' }

/** A policy that is a program over all images of a resource (ImageValidatingPolicy). */
export interface ReviewProgram {
  readonly kind: 'program'
  /** Empty, but of what was generated from a policy for pods. */
  readonly name: string
  readonly matcher: ResourceMatcher
  /** Images that the program finds itself, in the place of those of the same groups or beside them. */
  readonly extract: ProgramExtractor | undefined
  readonly images: ImageSelection
  /** Absent: what the installation and the resource have. */
  readonly access?: RegistryAccess
  readonly digests: DigestRules
  readonly enforcement: Enforcement
  /** For `policy explain`. */
  readonly explained: readonly string[]
  readonly wording: ProgramWording
  /** What is asked of a webhook that is about this program alone. */
  readonly scope: WebhookScope
  run(input: ProgramInput, signal: AbortSignal): Promise<ProgramOutcome>
}

export interface ProgramExtractor {
  /** Of these groups, nothing else is looked at. */
  readonly groups: ReadonlySet<string>
  images(review: Review, circumstances: Circumstances): Promise<readonly ImageOccurrence[]>
}

/** The texts that scripts of the original depend on. */
export interface ProgramWording {
  refused(failure: ProgramFailure): string
  /** In reports, where the policy is named beside it. */
  reported(failure: ProgramFailure): string
}

export type ProgramFailure =
  /** The program says no. */
  | { readonly kind: 'failed'; readonly message: string }
  /** It cannot say. */
  | { readonly kind: 'error'; readonly error: Error }
  | { readonly kind: 'digest-missing'; readonly image: string }
  /** No program of the review asked about the image. */
  | { readonly kind: 'not-asked'; readonly image: string }
  /** Some did, and nothing that counts was found. */
  | { readonly kind: 'unverified'; readonly image: string }

export interface ProgramImage {
  /** As the program is shown it, with the digest that is written in. */
  readonly occurrence: ImageOccurrence
  readonly pinned: PinnedImage
}

/** What a program can ask for. Names are as the resource has them; others are resolved, once. */
export interface ProgramServices {
  /** Whether the program is about an image of this name at all. */
  selects(image: string): Promise<boolean>
  signature(image: string, attestor: Attestor): Promise<SignatureOutcome>
  attestation(image: string, ask: AttestationAsk, attestor: Attestor): Promise<ProgramAttestation>
  /** What Kyverno calls image data: its name in parts, its index, manifest and configuration. */
  imageData(image: string): Promise<JsonValue>
  /** The trusted root of a TUF repository of the policy's own. */
  trustRepository(repository: TrustRepository): Promise<TrustedRoot>
  readonly circumstances: Circumstances
}

export interface AttestationAsk {
  readonly name: string
  readonly predicateType: string
}

export interface ProgramAttestation {
  readonly outcome: AttestationOutcome
  /** Statements whose signatures were verified and count. */
  readonly statements: readonly JsonValue[]
}

export interface ProgramInput {
  /** Of the resource with digests written in. */
  readonly review: Review
  /** The selected images of the resource. */
  readonly images: readonly ProgramImage[]
  readonly services: ProgramServices
}

export interface ProgramOutcome {
  /** Undefined: the program accepts. */
  readonly failure: Extract<ProgramFailure, { readonly kind: 'failed' | 'error' }> | undefined
  readonly warnings: readonly string[]
  /** For audit logs and reports. */
  readonly auditAnnotations: ReadonlyMap<string, string>
}

export type PolicyRule = ImageRule | ReviewProgram

/** What a policy asks of the webhook that enforces it. */
export interface WebhookSettings {
  /** Whether a resource is let in when no answer comes at all. */
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** 1 to 30; absent: the webhook's own. */
  readonly timeoutSeconds?: number
}

/** A compiled policy. */
export interface CompiledPolicy {
  readonly language: PolicyLanguage
  readonly name: string
  /** Of a namespaced policy: it is about resources of this namespace only. */
  readonly namespace?: string
  readonly rules: readonly PolicyRule[]
  /** `first`: in order, until the rules of one name said something. Absent: all are to be satisfied. */
  readonly applies?: 'all' | 'first'
  /** Absent: as the installation has it. */
  readonly webhook?: WebhookSettings
  /** Whether what already runs is judged as well. Absent: yes. */
  readonly background?: boolean
  /** Whether requests are judged at all. Absent: yes. */
  readonly admission?: boolean
  /** Things to tell whoever applies the policy: deprecated values, differences from the original. */
  readonly warnings: readonly string[]
  /** SHA-256 (hex) of what was compiled; a cached verdict is for this content. */
  readonly contentHash: string
}
