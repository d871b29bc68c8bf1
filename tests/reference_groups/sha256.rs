//! SHA-256 (FIPS 180-4), by which reference cases name whole tables.

/// The hash of a text in hexadecimal digits.
pub fn sha256(text: &str) -> String {
    let mut message = text.as_bytes().to_vec();
    message.push(0x80);
    message.resize((message.len() + 8).next_multiple_of(64) - 8, 0);
    message.extend((text.len() as u64 * 8).to_be_bytes());
    let primes: Vec<u128> = (2..).filter(|n| (2..*n).all(|d| n % d != 0)).take(64).collect();
    // The first 32 bits behind the point of the roots of the primes.
    let mut hash: Vec<u32> = primes[..8].iter().map(|p| root(p << 64, 2) as u32).collect();
    let constants: Vec<u32> = primes.iter().map(|p| root(p << 96, 3) as u32).collect();
    for block in message.chunks(64) {
        compress(&mut hash, block, &constants);
    }
    hash.iter().map(|word| format!("{word:08x}")).collect()
}

/// The largest number whose power does not exceed `n`.
fn root(n: u128, power: u32) -> u128 {
    let fits = |x: u128| x.checked_pow(power).is_some_and(|y| y <= n);
    (0..42).rev().map(|bit| 1 << bit).fold(0, |x, bit| if fits(x + bit) { x + bit } else { x })
}

fn compress(hash: &mut [u32], block: &[u8], constants: &[u32]) {
    let mut words: Vec<u32> = block.chunks(4).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap())).collect();
    for i in 16..64 {
        let (a, b) = (words[i - 15], words[i - 2]);
        let a = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let b = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        words.push(words[i - 16].wrapping_add(a).wrapping_add(words[i - 7]).wrapping_add(b));
    }
    let mut s: [u32; 8] = hash.try_into().unwrap();
    for (word, constant) in words.iter().zip(constants) {
        let [a, b, c, d, e, f, g, h] = s;
        let big_e = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let big_a = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let choice = (e & f) ^ (!e & g);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let first = [big_e, choice, *constant, *word].into_iter().fold(h, u32::wrapping_add);
        let second = big_a.wrapping_add(majority);
        s = [first.wrapping_add(second), a, b, c, d.wrapping_add(first), e, f, g];
    }
    hash.iter_mut().zip(s).for_each(|(hash, s)| *hash = hash.wrapping_add(s));
}

/// The standard's own example.
#[test]
fn the_hash_is_sha256() {
    assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
