namespace Native.LibUsb;

/// <summary>
/// Enumerates the descriptors in a sequence of bytes, such as <see cref="UsbEndpointDescriptor.Extra"/>. A descriptor with an invalid length ends the
/// enumeration and sets <see cref="IsMalformed"/>. The enumerator never reads beyond the end of the bytes.
/// </summary>
public ref struct UsbExtraDescriptors
{
    private const int HeaderSize = 2;

    private ReadOnlySpan<byte> _rest;

    /// <summary>Initializes an enumerator that is positioned before the first descriptor.</summary>
    /// <param name="bytes">The bytes.</param>
    public UsbExtraDescriptors(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>Gets the descriptor to which <see cref="MoveNext"/> has advanced, including its length byte and its type byte.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Gets whether the enumeration ended at a descriptor with an invalid length.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Returns this enumerator, so that <c>foreach</c> can use it.</summary>
    public readonly UsbExtraDescriptors GetEnumerator() => this;

    /// <summary>Advances to the next descriptor.</summary>
    /// <returns>Whether there is one.</returns>
    public bool MoveNext()
    {
        if (_rest.IsEmpty || IsMalformed)
            return false;
        if (_rest.Length < HeaderSize || _rest[0] < HeaderSize || _rest[0] > _rest.Length)
        {
            IsMalformed = true;
            return false;
        }

        Current = _rest[.._rest[0]];
        _rest = _rest[_rest[0]..];
        return true;
    }
}
