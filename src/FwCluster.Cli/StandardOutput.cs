using System.Text;
using Microsoft.Win32.SafeHandles;

namespace FwCluster.Cli;

/// <summary>
/// The process's standard output as a buffered writer. Not <see cref="Console.Out"/>: that one swallows a broken pipe, and
/// <c>fwctl replay ... | head</c> would read the whole capture for nobody.
/// </summary>
internal static class StandardOutput
{
    private const int BrokenPipe = 32;

    public static StreamWriter Open()
    {
        var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 1 << 16) { NewLine = "\n" };
    }

    /// <summary>True where nobody reads the output any more: an end, but no error.</summary>
    public static bool IsBrokenPipe(IOException exception) => (exception.HResult & 0xffff) == BrokenPipe;
}
