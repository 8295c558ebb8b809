using System.Runtime.CompilerServices;
using Xunit;

namespace FwCluster.Referee;

/// <summary>A fact that asks the running kernel; skipped, with the reason, where it cannot be asked.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Skip = KernelSupport.WhyNot;
}

/// <summary>A theory that asks the running kernel; skipped, with the reason, where it cannot be asked.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelTheoryAttribute : TheoryAttribute
{
    public KernelTheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Skip = KernelSupport.WhyNot;
}
