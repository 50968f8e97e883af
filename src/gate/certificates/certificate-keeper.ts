/**
 * Keeps the certificates of all replicas: makes them, announces them, shows them, replaces them. Every replica does all of it, and
 * each step is a compare-and-swap of the shared Secret: whoever comes second finds it done.
 *
 * @module
 */
import { isCodedError } from '#errors'
import type { Timers } from '#clients/http/fetch'
import { Repetition } from '#clients/http/timers'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { orAbsent } from '#clients/kubernetes/or-absent'
import type { KubernetesObject } from '#clients/kubernetes/object'
import type { RandomSource } from '#crypto/random'
import type { Clock, UnixMillis } from '#time'
import { webhookHost } from '../installation.js'
import { readCertificateState, writeCertificateState } from './certificate-secret.js'
import { issueServingCertificate } from './issue.js'
import type { ServingCertificate } from './issue.js'
import { bundleOf, expiryOf, isExpired, nextState } from './rotation.js'
import type { CertificateState } from './rotation.js'
import { findConfigurations, writeBundle } from './webhook-bundle.js'
import type { FoundConfigurations, WebhookTarget } from './webhook-bundle.js'

export interface CertificateKeeperOptions {
  readonly api: KubernetesApi
  readonly target: WebhookTarget
  /** Where the certificates are kept; of the target's namespace. */
  readonly secret: string
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomSource
  /** A number in [0, 1). */
  readonly jitter: () => number
  /** Told what is to be shown from now on. */
  readonly onCertificate: (certificate: ServingCertificate) => void
  readonly onTrouble: (error: unknown) => void
}

/** Soon enough for a configuration that somebody applied anew without the bundle. */
const LOOK = 15_000
/** Renewing, announcing, showing, retiring: more in a row is a loop. */
const MAX_STEPS = 5

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions
  #shown: ServingCertificate | undefined
  readonly #looking: Repetition

  constructor(options: CertificateKeeperOptions) {
    this.#options = options
    const { timers, jitter } = options
    // Replicas that started together do not look together.
    this.#looking = new Repetition(
      timers,
      () => LOOK / 2 + jitter() * LOOK,
      () => this.look(),
    )
  }

  /** When what is shown ceases to be valid. */
  get expiry(): UnixMillis | undefined {
    return this.#shown === undefined ? undefined : expiryOf(this.#shown)
  }

  /** Resolves with the certificate to begin with, and keeps it from then on. @throws KubernetesError, HttpError */
  async start(): Promise<ServingCertificate> {
    const shown = await this.#tend()
    this.#looking.start()
    return shown
  }

  /** Looks now. */
  async look(): Promise<void> {
    try {
      await this.#tend()
    } catch (error) {
      this.#options.onTrouble(error)
    }
  }

  close(): void {
    this.#looking.stop()
  }

  /**
   * As many steps as can be made now. The configurations are found before the Secret is read, and written only as they were found:
   * whoever is slow cannot put the bundle of an older state over that of a newer one.
   */
  async #tend(): Promise<ServingCertificate> {
    for (let step = 1; ; step++) {
      const found = await this.#find()
      const { state, secret } = await this.#load()
      const bundleIsOut = found !== undefined && (await this.#announce(found, state))
      const shown = this.#show(state.current, bundleIsOut)
      if (step === MAX_STEPS) return shown
      const next = await nextState(state, { now: this.#options.clock(), bundleIsOut, issue: () => this.#issue() })
      if (next === undefined) return shown
      await this.#replace(secret, next)
    }
  }

  async #find(): Promise<FoundConfigurations | undefined> {
    const { api, target, onTrouble } = this.#options
    try {
      return await findConfigurations(api, target)
    } catch (error) {
      onTrouble(error)
      return undefined
    }
  }

  async #announce(found: FoundConfigurations, state: CertificateState): Promise<boolean> {
    const { api, target, onTrouble } = this.#options
    try {
      return await writeBundle(api, { target, found, bundle: bundleOf(state) })
    } catch (error) {
      onTrouble(error)
      return false
    }
  }

  /** What could not be announced is not shown, unless nothing is lost by it; what is shown already is shown on. */
  #show(certificate: ServingCertificate, isAnnounced: boolean): ServingCertificate {
    const shown = this.#believed()
    if (shown !== undefined && (shown.certificate === certificate.certificate || !isAnnounced)) return shown
    this.#shown = certificate
    this.#options.onCertificate(certificate)
    return certificate
  }

  /** What is shown, if anybody can still believe it. */
  #believed(): ServingCertificate | undefined {
    if (this.#shown === undefined || isExpired(this.#shown, this.#options.clock())) return undefined
    return this.#shown
  }

  async #load(): Promise<Loaded> {
    const secret = await this.#secret()
    if (secret === undefined) return await this.#create()
    const state = readCertificateState(secret)
    if (state !== undefined) return { state, secret }
    // Empty, as some deploy it, or broken.
    return await this.#replace(secret, await this.#begin())
  }

  /** Whoever removes the Secret wants another certificate; until that is believed, the one that is shown serves on. */
  async #begin(): Promise<CertificateState> {
    const issued = await this.#issue()
    const shown = this.#believed()
    if (shown === undefined) return { current: issued, next: undefined, previous: undefined }
    return { current: shown, next: { certificate: issued, since: undefined }, previous: undefined }
  }

  async #secret(): Promise<KubernetesObject | undefined> {
    const { api, target, secret: name } = this.#options
    return await orAbsent(api.get({ apiVersion: 'v1', resource: 'secrets', namespace: target.namespace, name }))
  }

  async #create(): Promise<Loaded> {
    const { api, target, secret: name } = this.#options
    const state = await this.#begin()
    const metadata = { name, namespace: target.namespace, labels: { 'app.kubernetes.io/managed-by': 'countersign' } }
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'kubernetes.io/tls',
      data: writeCertificateState(state),
    }
    try {
      const of = { apiVersion: 'v1', resource: 'secrets', namespace: target.namespace }
      return { state, secret: await api.create(of, object) }
    } catch (error) {
      // Another replica was first; its certificate is everybody's.
      if (isCodedError(error) && error.code === 'KUBERNETES_EXISTS') return await this.#load()
      throw error
    }
  }

  async #replace(secret: KubernetesObject, state: CertificateState): Promise<Loaded> {
    const { api } = this.#options
    const { name, namespace } = secret.metadata
    const at = { apiVersion: 'v1', resource: 'secrets', namespace, name }
    try {
      return { state, secret: await api.update(at, { ...secret, data: writeCertificateState(state) }) }
    } catch (error) {
      if (isCodedError(error) && error.code === 'KUBERNETES_CONFLICT') return await this.#load()
      throw error
    }
  }

  #issue(): Promise<ServingCertificate> {
    const { target, clock, random } = this.#options
    const host = webhookHost(target.namespace)
    const names = [host, `${host}.cluster.local`]
    return issueServingCertificate({
      names: names.map((value) => ({ kind: 'dns', value }) as const),
      now: clock(),
      random,
    })
  }
}

interface Loaded {
  readonly state: CertificateState
  readonly secret: KubernetesObject
}
