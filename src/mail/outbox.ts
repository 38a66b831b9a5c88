import { within } from '../waiting'
import {
  createDatabaseNotice,
  createDelivery,
  type DeliveryDeps,
  timings as defaults,
  type OutboxTimings,
} from './delivery'
import { claimMail } from './store'

/**
 * Sends recorded mails. A mail counts as sent once the SMTP server has accepted it; a process that dies
 * before recording that sends it again with the same Message-ID, which is the best that SMTP allows.
 */
export function startOutbox(deps: DeliveryDeps, overrides: Partial<OutboxTimings> = {}) {
  const timings = { ...defaults, ...overrides }
  const database = createDatabaseNotice(deps.log)
  const delivery = createDelivery(deps, timings, database)
  const inDelivery = new Map<number, Promise<void>>()
  let woken = Promise.withResolvers<void>()
  let isStopping = false

  const wake = () => woken.resolve()

  async function run() {
    while (!isStopping) {
      woken = Promise.withResolvers()
      await fillLanes().catch(database.failed)
      if (!isStopping) await within(timings.pollMs, woken.promise, () => {})
    }
  }

  async function fillLanes() {
    while (!isStopping && inDelivery.size < timings.lanes) {
      const mail = await claimMail(deps.db, [...inDelivery.keys()], timings.leaseMs)
      database.answered()
      if (mail === undefined) return
      const done = delivery.deliver(mail).finally(() => {
        inDelivery.delete(mail.userId)
        wake()
      })
      inDelivery.set(mail.userId, done)
    }
  }

  const running = run()
  return {
    counts: delivery.counts,
    /** Looks for due mails at once. */
    wake,
    /** Takes no more mails, and waits for those in delivery. */
    async stop() {
      isStopping = true
      wake()
      await running
      await within<unknown>(timings.stopMs, Promise.all(inDelivery.values()), () => {})
      delivery.giveUp()
    },
  }
}
