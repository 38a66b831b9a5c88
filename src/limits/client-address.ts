import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

const MAX_KNOWN = 10_000

export const EXEMPT: unique symbol = Symbol('exempt from the limits')
/** What a client is limited by, all those alike whose address is not known; or that it is not limited. */
export type LimitKey = string | typeof EXEMPT
export const UNKNOWN_CLIENT: LimitKey = ''

export type Network = ReturnType<typeof ipaddr.parseCIDR>
type Address = ReturnType<typeof ipaddr.process>

export type ClientAddresses = ReturnType<typeof createClientAddresses>

/** A network, or an address as the network of it alone. */
export function parseNetwork(text: string): Network {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function parseAddress(text: string): Address | undefined {
  // An IPv4 client of an IPv6 socket counts as what it is.
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined
}

// Some proxies add the port, which for IPv6 takes brackets.
const WITH_PORT = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/

/** What a proxy says that it was asked by. */
function parseForwarded(entry: string): Address | undefined {
  const [, v6, v4] = WITH_PORT.exec(entry) ?? []
  return parseAddress(v6 ?? v4 ?? entry)
}

const isIn = (networks: readonly Network[], address: Address) =>
  networks.some((network) => network[0].kind() === address.kind() && address.match(network))

/** Who is at the other end (section 6): behind proxies that are named, the right-most one that is not. */
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
      // What a trusted proxy hands on that is no address hides whoever is before it: count the proxy.
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

  /** Behind proxies alone, one of which hands on what is no address. */
  const isUnknown = (client: Address, forwardedFor: string | null) =>
    forwardedFor !== null &&
    isIn(trusted, client) &&
    forwardedFor.split(',').some((entry) => entry.trim() !== '' && parseAddress(entry.trim()) === undefined)

  // Reading an address costs more than all else that the pipeline does.
  const known = new LRUCache<string, LimitKey>({ max: MAX_KNOWN })
  return {
    /** An IPv6 client is its /64. */
    limitKey(socketAddress: string, forwardedFor: string | null): LimitKey {
      if (forwardedFor !== null && trusted.length > 0) return keyOf(socketAddress, forwardedFor)
      const before = known.get(socketAddress)
      if (before !== undefined) return before
      const key = keyOf(socketAddress, null)
      known.set(socketAddress, key)
      return key
    },
    /** Whether a client is known to be in one of the networks. */
    isIn(networks: readonly Network[], socketAddress: string, forwardedFor: string | null): boolean {
      const client = clientOf(socketAddress, forwardedFor)
      return client !== undefined && isIn(networks, client) && !isUnknown(client, forwardedFor)
    },
  }
}
