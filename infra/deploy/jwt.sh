# Ed25519 keys and signatures in the forms of JWK and JWT, by openssl alone. To be sourced.

base64url() {
  openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# public_keys PEM KID: the set of keys that the services check tokens with.
public_keys() {
  x=$(openssl pkey -in "$1" -pubout -outform DER | tail -c 32 | base64url)
  printf '{"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"%s","x":"%s"}]}\n' "$2" "$x"
}

# signed PEM KID CLAIMS: a token.
signed() {
  header=$(printf '{"alg":"EdDSA","typ":"JWT","kid":"%s"}' "$2" | base64url)
  content="$header.$(printf %s "$3" | base64url)"
  # openssl takes what it signs as a whole from a file only.
  draft=$(mktemp)
  printf %s "$content" >"$draft"
  signature=$(openssl pkeyutl -sign -inkey "$1" -rawin -in "$draft" | base64url)
  rm -f "$draft"
  echo "$content.$signature"
}
