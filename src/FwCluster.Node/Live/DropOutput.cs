using FwCluster.Capture.Drops;
using FwCluster.Datapath;
using FwCluster.Node.Configuration;

namespace FwCluster.Node.Live;

/// <summary>The files of dropped packets: written or not, here or there, as the settings say, also where these change while packets flow.</summary>
internal sealed class DropOutput : IDisposable
{
    private DropSettings? _settings;
    private volatile DropWriter? _writer;

    private DropOutput(DropSettings? settings, DropWriter? writer) => (_settings, _writer) = (settings, writer);

    /// <summary>What writes them; null where none are written.</summary>
    public DropWriter? Writer => _writer;

    /// <summary>Begins to write, where the settings say so.</summary>
    /// <exception cref="SettingsException">The folder cannot be used.</exception>
    public static DropOutput Open(DropSettings? settings) => new(settings, OpenWriter(settings));

    /// <summary>A worker's way into the files.</summary>
    public DropLog OpenLog(PacketWorker worker) => new(_writer?.OpenSource(), worker);

    /// <summary>Makes a change ready, which can be taken or left: the other files beside the present ones.</summary>
    /// <returns>Null where nothing is to be changed.</returns>
    /// <exception cref="SettingsException">The folder cannot be used.</exception>
    public Change? Prepare(DropSettings? settings) => settings == _settings ? null : new Change(settings, OpenWriter(settings));

    /// <summary>Ends what was before a change, which all workers' ways have taken.</summary>
    public void Complete(Change change)
    {
        var before = _writer;
        (_settings, _writer) = (change.Settings, change.Writer);
        before?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _writer?.Dispose();

    private static DropWriter? OpenWriter(DropSettings? settings)
    {
        if (settings is null) return null;
        try
        {
            return new DropWriter(settings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"drops.directory is '{settings.Folder}', which cannot be used: {e.Message}");
        }
    }

    /// <summary>Other settings, with what writes by them.</summary>
    internal sealed record Change(DropSettings? Settings, DropWriter? Writer)
    {
        /// <summary>Has a worker's way lead there from now on. On that worker's thread.</summary>
        public void Take(DropLog log) => log.Source = Writer?.OpenSource();
    }
}
