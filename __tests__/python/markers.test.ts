import { describe, expect, test } from '@jest/globals'
import { evaluateMarker } from '../../src/python/markers.ts'

const AMD64 = { pythonVersion: '3.12', platform: 'linux/amd64' }
const ARM64 = { pythonVersion: '3.9.18', platform: 'linux/arm64' }

describe('evaluateMarker', () => {
  test.each([
    ["sys_platform != 'win32'", true],
    ["sys_platform == 'win32'", false],
    ['os_name == "posix" and platform_system == "Linux"', true],
    ["platform_python_implementation != 'PyPy' and sys_platform != 'cygwin' and sys_platform != 'win32'", true],
    ["implementation_name == 'cpython'", true],
    ["python_version >= '3.9'", true],
    ["python_version < '3.9'", false],
    ["'3.13' <= python_version", false],
    ["'3.9' < python_version", true],
    ["python_full_version >= '3.12.0' and python_full_version < '3.13'", true],
    ["platform_machine == 'x86_64' or platform_machine == 'amd64'", true],
    ["platform_machine == 'aarch64'", false],
    ["(sys_platform == 'win32' or sys_platform == 'linux') and python_version < '3'", false],
    ["sys_platform == 'win32' or sys_platform == 'linux' and python_version >= '3'", true],
    ["sys_platform in 'linux darwin'", true],
    ["sys_platform not  in 'win32 darwin'", true],
    ["platform_machine in 'aarch64 arm64'", false],
  ])('%s is %s for CPython 3.12 on amd64', (marker, expected) => {
    expect(evaluateMarker(marker, AMD64)).toBe(expected)
  })

  test('the target decides, not this machine', () => {
    expect(evaluateMarker("platform_machine == 'aarch64' and python_full_version == '3.9.18'", ARM64)).toBe(true)
  })

  test.each([
    "extra == 'gpu'",
    'sys_platform ==',
    "sys_platform == 'linux' and",
    "(sys_platform == 'linux'",
    'nonsense',
    '',
    "a b 'c'",
  ])('%s can not be told', (marker) => {
    expect(evaluateMarker(marker, AMD64)).toBeUndefined()
  })

  test('an unknown part does not hide what the known part decides', () => {
    expect(evaluateMarker("extra == 'gpu' and sys_platform == 'win32'", AMD64)).toBe(false)
    expect(evaluateMarker("extra == 'gpu' or sys_platform == 'linux'", AMD64)).toBe(true)
  })
})
