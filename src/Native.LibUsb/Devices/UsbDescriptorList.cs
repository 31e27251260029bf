namespace Native.LibUsb;

/// <summary>Interfaces, alternate settings or endpoints that follow each other in a configuration. Allocates nothing.</summary>
/// <typeparam name="T">What it lists.</typeparam>
public readonly unsafe ref struct UsbDescriptorList<T>
    where T : IUsbDescriptorView<T>, allows ref struct
{
    private readonly UsbConfiguration? _owner;
    private readonly void* _first;

    internal UsbDescriptorList(UsbConfiguration owner, void* first, int count)
    {
        _owner = owner;
        _first = first;
        Count = count;
    }

    /// <summary>How many.</summary>
    public int Count { get; }

    /// <summary>One of them.</summary>
    /// <param name="index">Its place, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none at that place.</exception>
    public T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return T.View(_owner!, _first, index);
        }
    }

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Walks over the list.</summary>
    public ref struct Enumerator
    {
        private readonly UsbDescriptorList<T> _list;
        private int _index = -1;

        internal Enumerator(UsbDescriptorList<T> list) => _list = list;

        /// <summary>Where <see cref="MoveNext"/> reached.</summary>
        public readonly T Current => _list[_index];

        /// <summary>Goes to the next.</summary>
        /// <returns>Whether there is one.</returns>
        public bool MoveNext() => ++_index < _list.Count;
    }
}

/// <summary>Something that <see cref="UsbDescriptorList{T}"/> can list.</summary>
/// <typeparam name="T">The type itself.</typeparam>
public unsafe interface IUsbDescriptorView<T>
    where T : IUsbDescriptorView<T>, allows ref struct
{
    /// <summary>The view of one element of a native array.</summary>
    /// <param name="owner">Who owns the array.</param>
    /// <param name="first">The first element.</param>
    /// <param name="index">Which one.</param>
    static abstract T View(UsbConfiguration owner, void* first, int index);
}
