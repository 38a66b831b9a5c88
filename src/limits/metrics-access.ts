import { Failure } from '../errors'
import { type ClientAddresses, parseNetwork } from './client-address'

const METRICS = /^\/(?:metrics|debug\/vars)$/

export type MetricsAccess = ReturnType<typeof createMetricsAccess>

/** Hides the metrics from clients outside METRICS_NETWORKS (section 7). */
export function createMetricsAccess(
  metricsNetworks: readonly string[] | undefined,
  clientAddresses: Pick<ClientAddresses, 'isIn'>,
) {
  const networks = metricsNetworks?.map(parseNetwork)
  return {
    isHidden(path: string, request: Request, socketAddress: () => string): boolean {
      if (networks === undefined || !METRICS.test(path)) return false
      return !clientAddresses.isIn(networks, socketAddress(), request.headers.get('x-forwarded-for'))
    },
  }
}

/** Answers a hidden path like an unknown one. */
export function hidden(): never {
  throw new Failure('notFound')
}
