using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary>A target that is a verdict and nothing else: ACCEPT, DROP, RETURN.</summary>
/// <param name="name">Its name.</param>
/// <param name="verdict">What it says.</param>
public sealed class VerdictTarget(string name, Verdict verdict) : Target
{
    /// <inheritdoc/>
    public override string Name { get; } = name;

    /// <summary>What it says of every packet.</summary>
    public Verdict Verdict { get; } = verdict;

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet) => Verdict;
}

/// <summary>The language of ACCEPT, DROP and RETURN: a name.</summary>
/// <param name="name">The name.</param>
/// <param name="verdict">What it says.</param>
public sealed class VerdictTargetExtension(string name, Verdict verdict) : TargetExtension
{
    private readonly VerdictTarget _target = new(name, verdict);

    /// <inheritdoc/>
    public override string Name { get; } = name;

    /// <inheritdoc/>
    public override Target Build(ExtensionOptions options) => _target;
}
