using System.Linq.Expressions;
using System.Runtime.InteropServices;

namespace FwCluster.Fuzz.Engine;

/// <summary>
/// Which edges of the instrumented code an input ran through, and about how often: AFL's map. Instrumented assemblies count into it;
/// in others it stays empty.
/// </summary>
internal sealed unsafe class Coverage : IDisposable
{
    private const int MapBytes = 1 << 16;

    // What instrumented code counts by. Found by name: SharpFuzz takes an assembly that refers to it for instrumented already, and this
    // one also has code to instrument (the planted faults).
    private static readonly Type Trace = Type.GetType("SharpFuzz.Common.Trace, SharpFuzz.Common", throwOnError: true)!;
    private static readonly Action ForgetLocation =
        Expression.Lambda<Action>(Expression.Assign(Expression.Field(null, Trace.GetField("PrevLocation")!), Expression.Constant(0))).Compile();

    private readonly byte* _map = (byte*)NativeMemory.AlignedAlloc(MapBytes, 64);
    private readonly byte[] _seen = new byte[MapBytes];

    public Coverage()
    {
        Begin();
        Trace.GetField("SharedMem")!.SetValue(null, System.Reflection.Pointer.Box(_map, typeof(byte*)));
    }

    /// <summary>Edges that any input ran through.</summary>
    public int Edges { get; private set; }

    /// <summary>Forgets the last input's run.</summary>
    public void Begin()
    {
        NativeMemory.Clear(_map, MapBytes);
        ForgetLocation();
    }

    /// <summary>Tells whether the run went where none went before, or much more often, and remembers it.</summary>
    public bool AddsAnything()
    {
        var isNew = false;
        var words = (ulong*)_map;
        for (var word = 0; word < MapBytes / sizeof(ulong); word++)
        {
            if (words[word] == 0) continue;
            for (var edge = word * sizeof(ulong); edge < (word + 1) * sizeof(ulong); edge++)
            {
                var bucket = Bucket(_map[edge]);
                if ((_seen[edge] | bucket) == _seen[edge]) continue;
                if (_seen[edge] == 0) Edges++;
                _seen[edge] |= bucket;
                isNew = true;
            }
        }
        return isNew;
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_map);

    // One bit for each order of magnitude, so that a loop that runs once more is nothing new.
    private static byte Bucket(byte count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}
