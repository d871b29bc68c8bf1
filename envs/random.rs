//! Named random streams.

use rand::SeedableRng;

/// The generator behind every draw: ChaCha with 8 rounds, whose output is specified and the same on every platform.
pub type Rng = rand_chacha::ChaCha8Rng;

/// The stream `name`, number `index`, of the trial with this `seed`.
///
/// The three are the key of a block cipher, so any two different triples give unrelated sequences, and drawing more from
/// one stream never moves another.
pub fn stream(seed: u64, name: &str, index: u64) -> Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&index.to_le_bytes());
    key[16..24].copy_from_slice(&fnv1a(name).to_le_bytes());
    Rng::from_seed(key)
}

/// The stream `name`, number 0, of the seed with which [`stream`] made `rng`: the same for every stream of one trial.
pub(crate) fn sibling(rng: &Rng, name: &str) -> Rng {
    let mut seed = [0; 8];
    seed.copy_from_slice(&rng.get_seed()[..8]);
    stream(u64::from_le_bytes(seed), name, 0)
}

/// The stream `name` that belongs to `rng`, however much of that has been used: the same key, another nonce.
pub(crate) fn derived(rng: &Rng, name: &str) -> Rng {
    let mut derived = Rng::from_seed(rng.get_seed());
    derived.set_stream(fnv1a(name));
    derived
}

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): stable across versions, unlike the standard library's hasher.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn a_stream_is_a_function_of_its_three_names() {
        let draw = |seed, name, index| stream(seed, name, index).random::<u64>();
        assert_eq!(draw(1, "env", 0), draw(1, "env", 0));
        let all = [draw(1, "env", 0), draw(2, "env", 0), draw(1, "env", 1), draw(1, "init", 0), draw(0, "env", 1)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b), "two streams coincide");
        }
    }

    #[test]
    fn siblings_share_their_seed_only() {
        let draw = |mut rng: Rng| rng.random::<u64>();
        let expected = draw(stream(7, "arms", 0));
        assert_eq!(draw(sibling(&stream(7, "env", 0), "arms")), expected);
        let mut used = stream(7, "evaluation", 3);
        used.random::<u64>();
        assert_eq!(draw(sibling(&used, "arms")), expected);
        assert_ne!(draw(sibling(&stream(8, "env", 0), "arms")), expected);
    }

    #[test]
    fn a_derived_stream_is_a_function_of_its_origin_and_its_name() {
        let draw = |mut rng: Rng| rng.random::<u64>();
        let mut used = stream(7, "env", 3);
        let undrawn = used.clone();
        used.random::<u64>();
        assert_eq!(draw(derived(&used, "a")), draw(derived(&undrawn, "a")));
        for other in [derived(&used, "b"), derived(&stream(7, "env", 2), "a"), undrawn.clone(), used] {
            assert_ne!(draw(derived(&undrawn, "a")), draw(other));
        }
    }

    /// The published test vector of FNV-1a 64 for "foobar".
    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }
}
