using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Native.LibUsb;

/// <summary>
/// Represents the bus and the hub ports through which a device is connected. A device that is plugged into the same port again has the same path.
/// </summary>
public readonly struct UsbPortPath : IEquatable<UsbPortPath>
{
    /// <summary>The largest number of ports in a path: USB allows no deeper tree of hubs.</summary>
    public const int MaxDepth = 7;

    private readonly PortNumbers _ports;
    private readonly byte _depth;

    /// <summary>Initializes a path from its parts.</summary>
    /// <param name="bus">The number of the bus.</param>
    /// <param name="ports">
    /// At most <see cref="MaxDepth"/> port numbers, beginning with the port on the root hub. An empty span stands for the root hub itself.
    /// </param>
    /// <exception cref="ArgumentException">There are too many ports.</exception>
    public UsbPortPath(byte bus, ReadOnlySpan<byte> ports)
    {
        if (ports.Length > MaxDepth)
            throw new ArgumentException($"A port path has at most {MaxDepth} ports.", nameof(ports));
        Bus = bus;
        ports.CopyTo(_ports);
        _depth = (byte)ports.Length;
    }

    /// <summary>Gets the number of the bus.</summary>
    public byte Bus { get; }

    /// <summary>Gets the port numbers, beginning with the port on the root hub; empty for the root hub itself.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Ports => ((ReadOnlySpan<byte>)_ports)[.._depth];

    /// <summary>Parses a path in the format of <see cref="ToString"/>.</summary>
    /// <param name="text">A text such as <c>1-2.3</c>.</param>
    /// <param name="path">The path.</param>
    /// <returns>Whether the text is a path.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out UsbPortPath path)
    {
        path = default;
        int dash = text.IndexOf('-');
        if (dash < 0 || !TryParseNumber(text[..dash], out byte bus))
            return false;

        Span<byte> ports = stackalloc byte[MaxDepth];
        int depth = 0;
        ReadOnlySpan<char> rest = text[(dash + 1)..];
        if (rest is "0")
        {
            path = new UsbPortPath(bus, default);
            return true;
        }

        foreach (Range part in rest.Split('.'))
        {
            if (depth == MaxDepth || !TryParseNumber(rest[part], out ports[depth]) || ports[depth] == 0)
                return false;
            depth++;
        }

        path = new UsbPortPath(bus, ports[..depth]);
        return true;
    }

    /// <summary>Returns the path in Linux's format: <c>1-2.3</c> is port 3 of the hub on port 2 of bus 1, and <c>1-0</c> is the root hub of bus 1.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Bus}-");
        if (_depth == 0)
            text.Append('0');
        for (int i = 0; i < _depth; i++)
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ".")}{_ports[i]}");
        return text.ToString();
    }

    /// <inheritdoc/>
    public bool Equals(UsbPortPath other) => Bus == other.Bus && Ports.SequenceEqual(other.Ports);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is UsbPortPath other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Bus);
        hash.AddBytes(Ports);
        return hash.ToHashCode();
    }

    /// <summary>Determines whether two paths are equal.</summary>
    public static bool operator ==(UsbPortPath left, UsbPortPath right) => left.Equals(right);

    /// <summary>Determines whether two paths differ.</summary>
    public static bool operator !=(UsbPortPath left, UsbPortPath right) => !left.Equals(right);

    private static bool TryParseNumber(ReadOnlySpan<char> text, out byte number) =>
        byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    [InlineArray(MaxDepth)]
    private struct PortNumbers
    {
        private byte _first;
    }
}
