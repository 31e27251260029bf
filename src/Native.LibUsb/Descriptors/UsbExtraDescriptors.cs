namespace Native.LibUsb;

/// <summary>
/// Walks over the descriptors in a run of bytes, such as <see cref="UsbEndpointDescriptor.Extra"/>. A length that does not fit ends the walk and sets
/// <see cref="IsMalformed"/>; nothing is read beyond the bytes.
/// </summary>
public ref struct UsbExtraDescriptors
{
    private const int HeaderSize = 2;

    private ReadOnlySpan<byte> _rest;

    /// <summary>Begins before the first descriptor.</summary>
    /// <param name="bytes">The bytes.</param>
    public UsbExtraDescriptors(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>Gets the descriptor that <see cref="MoveNext"/> reached, with its length and type bytes.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Gets whether the walk ended before the bytes did.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Gets this walk, so that <c>foreach</c> takes it.</summary>
    public readonly UsbExtraDescriptors GetEnumerator() => this;

    /// <summary>Goes to the next descriptor.</summary>
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
