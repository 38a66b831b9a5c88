import ipaddr from 'ipaddr.js'

const MAX_KNOWN = 10_000

type Network = ReturnType<typeof ipaddr.parseCIDR>
type Address = ReturnType<typeof ipaddr.process>

export type ClientAddresses = ReturnType<typeof createClientAddresses>

/** A network, or an address as the network of it alone. */
function parseNetwork(text: string): Network {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function parseAddress(text: string): Address | undefined {
  // An IPv4 client of an IPv6 socket counts as what it is.
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined
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
    for (const entry of forwardedFor.split(',').reverse()) {
      if (client === undefined || !isIn(trusted, client)) return client
      const next = parseAddress(entry.trim())
      // What a trusted proxy hands on that is no address hides whoever is before it: count the proxy.
      if (next === undefined) return client
      client = next
    }
    return client
  }

  function keyOf(socketAddress: string, forwardedFor: string | null): string | undefined {
    const client = clientOf(socketAddress, forwardedFor)
    if (client === undefined) return socketAddress
    if (isIn(exempt, client)) return undefined
    if (client.kind() === 'ipv4') return client.toString()
    return `${client.toByteArray().slice(0, 8).join('.')}/64`
  }

  // Reading an address costs more than all else that the pipeline does.
  const known = new Map<string, string | undefined>()
  return {
    /** The key under which a client is limited; undefined for an exempt one. An IPv6 client is its /64. */
    limitKey(socketAddress: string, forwardedFor: string | null): string | undefined {
      if (forwardedFor !== null && trusted.length > 0) return keyOf(socketAddress, forwardedFor)
      if (known.has(socketAddress)) return known.get(socketAddress)
      const key = keyOf(socketAddress, null)
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(socketAddress, key)
      return key
    },
  }
}
