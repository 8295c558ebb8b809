namespace FwCluster.Control.Access;

/// <summary>
/// What was read from files, and read again when they have changed, so that a certificate is renewed without a stop. While the new ones cannot be
/// used (one file is there already, and the other not yet), what was read before goes on.
/// </summary>
/// <typeparam name="T">What they are read to.</typeparam>
internal sealed class RereadFiles<T>
    where T : class
{
    private readonly Lock _reading = new();
    private readonly Func<T> _read;
    private readonly string[] _files;
    private (DateTime[] Written, T Value) _last;

    /// <summary>Reads the files.</summary>
    /// <exception cref="AccessFileException">They cannot be used.</exception>
    public RereadFiles(Func<T> read, params string[] files)
    {
        _read = read;
        _files = files;
        _last = (Written(), read());
    }

    /// <summary>What is in the files now, or was the last time they were right.</summary>
    public T Current
    {
        get
        {
            lock (_reading)
            {
                var written = Written();
                if (written.AsSpan().SequenceEqual(_last.Written)) return _last.Value;
                try
                {
                    _last = (written, _read());
                }
                catch (AccessFileException)
                {
                    _last.Written = written; // not tried again before they change
                }
                return _last.Value;
            }
        }
    }

    private DateTime[] Written() => Array.ConvertAll(_files, File.GetLastWriteTimeUtc);
}
