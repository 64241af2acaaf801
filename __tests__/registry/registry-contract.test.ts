import { registryContract } from '../contracts/registry-contract.ts'
import { type RegistryFakeOptions, startRegistryFake } from '../support/registry-fake.ts'

const LOGIN = { kind: 'password', username: 'user', password: 'not-so-secret' } as const
const credentials = { credentialFor: async () => LOGIN }

const open = (options: RegistryFakeOptions) => async () => {
  const fake = await startRegistryFake(options)
  return { host: fake.host, credentials, close: () => fake.close() }
}

registryContract('a registry open to all', open({}))
registryContract('a registry with basic auth', open({ auth: { ...LOGIN, kind: 'basic' } }))
registryContract('a registry with tokens', open({ auth: { ...LOGIN, kind: 'bearer', expiresIn: 300 } }))
registryContract('a registry with a referrers API', open({ referrersPage: 1 }))
