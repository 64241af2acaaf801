import { parse } from 'smol-toml'
import { pipfileHash, poetryContentHashes } from '../../src/python/content-hash.ts'

interface Locked {
  readonly name: string
  readonly version: string
  readonly group: string
  /** Tags and sha256 of its wheels. */
  readonly wheels: readonly (readonly [tags: string, hash: string])[]
}

/** Wheels that every index has. packaging is also a need of poetry's own, which brings a newer one. */
const PACKAGES: readonly Locked[] = [
  {
    ...{ name: 'idna', version: '3.11', group: 'dev' },
    wheels: [['py3-none-any', '771a87f49d9defaf64091e6e6fe9c18d4833f140bd19464795bc32d966ca37ea']],
  },
  {
    // Large enough for layers before a step that stays; it brings a file of bytecode along.
    ...{ name: 'numpy', version: '2.4.0', group: 'heavy' },
    wheels: [
      [
        'cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64',
        'a8fdfed3deaf1928fb7667d96e0567cdf58c2b370ea2ee7e586aa383ec2cb346',
      ],
      [
        'cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64',
        '0feafc9e03128074689183031181fac0897ff169692d8492066e949041096548',
      ],
    ],
  },
  {
    ...{ name: 'packaging', version: '24.2', group: 'main' },
    wheels: [['py3-none-any', '09abb1bccd265c01f4a3aa3f7a7db064b36514d2cba19a2f694fe6150451a759']],
  },
  {
    ...{ name: 'pygments', version: '2.19.2', group: 'main' },
    wheels: [['py3-none-any', '86540386c03d588bb81d44bc3928634ff26449851e99741617ecb9037ee5ec0b']],
  },
  {
    ...{ name: 'six', version: '1.17.0', group: 'main' },
    wheels: [['py2.py3-none-any', '4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274']],
  },
]

/** A project of poetry as poetry 2 locks it. @param index as `[[tool.poetry.source]]`: poetry asks an index without one in a way that mirrors don't know. */
export function poetryProject(index: string, isPackage: boolean): Readonly<Record<string, string>> {
  const project = `[project]
name = "service"
version = "1.0"
requires-python = ">=3.10,<4"
dependencies = ["six==1.17.0", "packaging==24.2", "colorama==0.4.6; sys_platform=='win32'"]
[project.optional-dependencies]
color = ["pygments==2.19.2"]
[tool.poetry]
${isPackage ? 'packages = [{ include = "service" }]' : 'package-mode = false'}
[tool.poetry.group.dev.dependencies]
idna = "3.11"
[tool.poetry.group.heavy]
optional = true
[tool.poetry.group.heavy.dependencies]
numpy = "2.4.0"
[[tool.poetry.source]]
name = "main"
url = "${index}"
priority = "primary"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
`
  const packages = PACKAGES.map(({ name, version, group, wheels }) => {
    const isExtra = name === 'pygments'
    const files = wheels.map(([tags, hash]) => `{file = "${name}-${version}-${tags}.whl", hash = "sha256:${hash}"}`)
    return `[[package]]
name = "${name}"
version = "${version}"
description = ""
optional = ${isExtra}
python-versions = ">=3.8"
groups = ["${group}"]
${isExtra ? 'markers = "extra == \\"color\\""\n' : ''}files = [${files.join(', ')}]
[package.source]
type = "legacy"
url = "${index}"
reference = "main"
`
  })
  const [hash] = poetryContentHashes(parse(project))
  const metadata = `[metadata]\nlock-version = "2.1"\npython-versions = ">=3.10,<4"\ncontent-hash = "${hash}"\n`
  const lock = `${packages.join('\n')}\n[extras]\ncolor = ["pygments"]\n\n${metadata}`
  return { 'pyproject.toml': project, 'poetry.lock': lock }
}

/** A project of pipenv. */
export function pipenvProject(index: string): Readonly<Record<string, string>> {
  const pipfile = `[[source]]
url = "${index}"
verify_ssl = true
name = "main"
[packages]
six = "==1.17.0"
pygments = "==2.19.2"
packaging = "==24.2"
[dev-packages]
idna = "==3.11"
`
  const sources = [{ name: 'main', url: index, verify_ssl: true }]
  const of = (wanted: string): object =>
    Object.fromEntries(
      PACKAGES.filter(({ group }) => group === wanted).map(({ name, version, wheels }) => [
        name,
        { hashes: wheels.map(([, hash]) => `sha256:${hash}`), index: 'main', version: `==${version}` },
      ]),
    )
  const hash = { sha256: pipfileHash(parse(pipfile), []) }
  const lock = { _meta: { hash, 'pipfile-spec': 6, requires: {}, sources }, default: of('main'), develop: of('dev') }
  return { Pipfile: pipfile, 'Pipfile.lock': JSON.stringify(lock, undefined, 4) }
}
