namespace FwCluster.Cli.Top;

/// <summary>The terminal that <c>fwctl top</c> draws on: a screen of its own, which goes with it, and the keys.</summary>
internal sealed class TopTerminal : IDisposable
{
    private const string Begin = "\u001b[?1049h\u001b[?25l";
    private const string End = "\u001b[?25h\u001b[?1049l";
    private const string Home = "\u001b[H";
    private const string ClearLine = "\u001b[K";
    private const string ClearRest = "\u001b[J";

    private readonly TextWriter _output;

    /// <summary>Begins.</summary>
    public TopTerminal(TextWriter output)
    {
        _output = output;
        output.Write(Begin);
    }

    /// <summary>Columns.</summary>
    public static int Width => Console.WindowWidth is > 0 and var width ? width : 80;

    /// <summary>Lines.</summary>
    public static int Height => Console.WindowHeight is > 0 and var height ? height : 24;

    /// <summary>True where there is a terminal to draw on.</summary>
    public static bool IsThere(TextWriter output) => output is StreamWriter { BaseStream: StandardOutput } && !Console.IsOutputRedirected;

    /// <summary>The key that was pressed; 0 for none.</summary>
    public static char Key => !Console.IsInputRedirected && Console.KeyAvailable ? Console.ReadKey(intercept: true).KeyChar : '\0';

    /// <summary>Draws lines over what is there, so that nothing flickers.</summary>
    public void Draw(IEnumerable<string> lines)
    {
        _output.Write(Home);
        _output.Write(string.Join("\r\n", lines.Select(line => line + ClearLine)));
        _output.Write(ClearRest);
        _output.Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _output.Write(End);
        _output.Flush();
    }
}
