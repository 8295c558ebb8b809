namespace FwCluster.Fuzz.Engine;

/// <summary>
/// A piece of the product that takes bytes from strangers. An exception that escapes <see cref="Run"/> is a finding: the target
/// catches what its product documents for wrong input, and throws where a promise was not kept.
/// </summary>
public abstract class FuzzTarget
{
    /// <summary>What a person calls it.</summary>
    public abstract string Name { get; }

    /// <summary>What it feeds, in a few words.</summary>
    public abstract string Description { get; }

    /// <summary>Inputs to begin with.</summary>
    public abstract IEnumerable<byte[]> Seeds { get; }

    /// <summary>Words that the input's language has, to be inserted.</summary>
    public virtual IEnumerable<byte[]> Dictionary => [];

    /// <summary>The longest input worth trying, in bytes.</summary>
    public virtual int MaxInputBytes => 4096;

    /// <summary>Bytes that one input may allocate, all in all. More is a finding: a small file must not cost much memory.</summary>
    public virtual long MaxAllocatedBytes => 64L << 20;

    /// <summary>How long one input may take. More is a finding.</summary>
    public virtual TimeSpan MaxTime => TimeSpan.FromSeconds(5);

    /// <summary>Feeds one input. Must not remember anything from one call to the next.</summary>
    public abstract void Run(ReadOnlySpan<byte> input);
}
