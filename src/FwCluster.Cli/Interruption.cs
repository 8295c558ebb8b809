using System.Runtime.InteropServices;

namespace FwCluster.Cli;

/// <summary>
/// Ctrl-C. The first asks a replay to stop reading and to print what it has; the second ends the process at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly PosixSignalRegistration _registration;
    private volatile bool _isAsked;

    public Interruption()
        => _registration = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = !_isAsked;
            _isAsked = true;
        });

    /// <summary>True once Ctrl-C was pressed.</summary>
    public bool IsAsked => _isAsked;

    public void Dispose() => _registration.Dispose();
}
