// Seals a signer's PIN for the key-custody process: ECDH P-256, HKDF-SHA256, AES-256-GCM (the format is described in signing/pin_seal.py).
// The server that hands out the page and takes the form cannot read the PIN. No dependencies; needs a secure context (https or localhost).

const BLOCK = 64
const text = new TextEncoder()

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/**
 * @param {JsonWebKey} publicJwk the custody's public key of this challenge
 * @param {string} nonce the nonce of this challenge, good once
 * @param {string} pin what the signer typed
 * @returns {Promise<string>} the sealed text for the form field `sealed_pin`
 */
export async function sealPin(publicJwk, nonce, pin) {
  const raw = text.encode(pin.normalize('NFC'))
  if (raw.length === 0 || raw.length > BLOCK) throw new RangeError('pin')
  const curve = { name: 'ECDH', namedCurve: 'P-256' }
  const { kty, crv, x, y } = publicJwk
  const theirs = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, curve, false, [])
  const own = await crypto.subtle.generateKey(curve, false, ['deriveBits'])
  const secret = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, own.privateKey, 256)
  const seed = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const derive = { name: 'HKDF', hash: 'SHA-256', salt: text.encode(nonce), info: text.encode('motcua pin v1') }
  const key = await crypto.subtle.deriveKey(derive, seed, { name: 'AES-GCM', length: 256 }, false, ['encrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const block = new Uint8Array(BLOCK)
  block.set(raw)
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: text.encode(nonce) }, key, block))
  block.fill(0)
  raw.fill(0)
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', own.publicKey))
  const joined = new Uint8Array(point.length + iv.length + sealed.length)
  joined.set(point)
  joined.set(iv, point.length)
  joined.set(sealed, point.length + iv.length)
  return `v1.${nonce}.${base64url(joined)}`
}
