import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

const MAX_KNOWN = 10_000

export const EXEMPT: unique symbol = Symbol('exempt from the limits')
/** The key that a client is limited by; clients of unknown address share one. */
export type LimitKey = string | typeof EXEMPT
export const UNKNOWN_CLIENT: LimitKey = ''

export type Network = ReturnType<typeof ipaddr.parseCIDR>
type Address = ReturnType<typeof ipaddr.process>

export type ClientAddresses = ReturnType<typeof createClientAddresses>

/** A network, or a single address as a network. */
export function parseNetwork(text: string): Network {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function parseAddress(text: string): Address | undefined {
  // An IPv4 client of an IPv6 socket is an IPv4 client.
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined
}

// Some proxies add the port, in which case IPv6 has brackets.
const WITH_PORT = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/

/** An entry of X-Forwarded-For. */
function parseForwarded(entry: string): Address | undefined {
  const [, v6, v4] = WITH_PORT.exec(entry) ?? []
  return parseAddress(v6 ?? v4 ?? entry)
}

const isIn = (networks: readonly Network[], address: Address) =>
  networks.some((network) => network[0].kind() === address.kind() && address.match(network))

/** The client's address (section 6): behind trusted proxies, the rightmost untrusted one. */
export function createClientAddresses(trustedProxies: readonly string[], exemptNetworks: readonly string[]) {
  const trusted = trustedProxies.map(parseNetwork)
  const exempt = exemptNetworks.map(parseNetwork)

  function clientOf(socketAddress: string, forwardedFor: string | null): Address | undefined {
    let client = parseAddress(socketAddress)
    if (forwardedFor === null || trusted.length === 0) return client
    for (const each of forwardedFor.split(',').reverse()) {
      const entry = each.trim()
      if (entry === '') continue
      if (client === undefined || !isIn(trusted, client)) return client
      const next = parseForwarded(entry)
      // A trusted proxy's unreadable entry hides everyone before it, so the proxy itself counts.
      if (next === undefined) return client
      client = next
    }
    return client
  }

  function keyOf(socketAddress: string, forwardedFor: string | null): LimitKey {
    const client = clientOf(socketAddress, forwardedFor)
    if (client === undefined) return UNKNOWN_CLIENT
    if (isIn(exempt, client)) return EXEMPT
    if (client.kind() === 'ipv4') return client.toString()
    return `${client.toByteArray().slice(0, 8).join('.')}/64`
  }

  /** Only trusted proxies, one of which forwards an unreadable address. */
  const isUnknown = (client: Address, forwardedFor: string | null) =>
    forwardedFor !== null &&
    isIn(trusted, client) &&
    forwardedFor.split(',').some((entry) => entry.trim() !== '' && parseAddress(entry.trim()) === undefined)

  // Cached, because parsing an address costs more than the rest of the pipeline.
  const known = new LRUCache<string, LimitKey>({ max: MAX_KNOWN })
  return {
    /** An IPv6 client is limited by its /64. */
    limitKey(socketAddress: string, forwardedFor: string | null): LimitKey {
      if (forwardedFor !== null && trusted.length > 0) return keyOf(socketAddress, forwardedFor)
      const before = known.get(socketAddress)
      if (before !== undefined) return before
      const key = keyOf(socketAddress, null)
      known.set(socketAddress, key)
      return key
    },
    /** Whether a client is certainly in one of the networks. */
    isIn(networks: readonly Network[], socketAddress: string, forwardedFor: string | null): boolean {
      const client = clientOf(socketAddress, forwardedFor)
      return client !== undefined && isIn(networks, client) && !isUnknown(client, forwardedFor)
    },
  }
}
