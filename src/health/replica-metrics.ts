import { Counter, Gauge, type Registry } from 'prom-client'

export type Replicas = {
  status(): readonly { name: string; serves: boolean; lagSeconds: number | undefined }[]
  served(): { replicas: number; primary: number }
}

export function registerReplicas(registry: Registry, { status, served }: Replicas) {
  new Gauge({
    name: 'redlight_database_replica_serves',
    help: '1 while the replica serves reads, 0 while the primary does instead.',
    labelNames: ['replica'],
    registers: [registry],
    collect() {
      for (const { name, serves } of status()) this.set({ replica: name }, Number(serves))
    },
  })
  new Gauge({
    name: 'redlight_database_replica_lag_seconds',
    help: 'Maximum lag of the replica behind the primary; NaN until it is first reached.',
    labelNames: ['replica'],
    registers: [registry],
    collect() {
      for (const { name, lagSeconds } of status()) this.set({ replica: name }, lagSeconds ?? Number.NaN)
    },
  })
  new Counter({
    name: 'redlight_database_reads_total',
    help: 'Reads that replicas may serve, by the server that did.',
    labelNames: ['server'],
    registers: [registry],
    collect() {
      this.reset()
      this.inc({ server: 'replica' }, served().replicas)
      this.inc({ server: 'primary' }, served().primary)
    },
  })
}

export const replicaVariables = ({ status, served }: Replicas) => ({
  reads: served(),
  servers: status().map(({ name, serves, lagSeconds = null }) => ({ name, serves, lag_seconds: lagSeconds })),
})
